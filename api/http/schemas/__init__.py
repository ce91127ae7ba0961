"""What requests and answers look like.

Read `requests` first (reading and bounding what is sent), then `models` (the named schemas of the OpenAPI document),
`kinds` (those of the statements, made from their declarations) and `answers` (making answers of what is stored).
`requests` needs no pydantic: the processes that check batches import it.
"""
