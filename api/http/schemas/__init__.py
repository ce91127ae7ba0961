"""What requests and answers look like.

Read `requests` first (parse and bound requests), then `models` (the named schemas of the OpenAPI document), `kinds`
(the schemas of the statements, derived from their declarations) and `answers` (make answers from stored data).
`requests` needs no pydantic: the processes that check batches import it.
"""
