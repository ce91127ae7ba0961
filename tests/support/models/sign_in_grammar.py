"""The grammar of EIP-4361 as it is published, by the library `abnf`: what is a message, and what is none.

Rules of other documents are those of the library: RFC 3986, RFC 3339, RFC 5234.
"""

from __future__ import annotations

from typing import ClassVar

from abnf import ParseError, Rule
from abnf.grammars import rfc3339, rfc3986
from abnf.grammars.misc import load_grammar_rulelist

# EIP-4361, "ABNF Message Format", without its comments. ABNF's names know no letter case: `uri` is RFC 3986's rule.
GRAMMAR = """
sign-in-with-ethereum =
    [ scheme "://" ] domain %s" wants you to sign in with your Ethereum account:" LF
    address LF
    LF
    [ statement LF ]
    LF
    %s"URI: " uri LF
    %s"Version: " version LF
    %s"Chain ID: " chain-id LF
    %s"Nonce: " nonce LF
    %s"Issued At: " issued-at
    [ LF %s"Expiration Time: " expiration-time ]
    [ LF %s"Not Before: " not-before ]
    [ LF %s"Request ID: " request-id ]
    [ LF %s"Resources:"
    resources ]
domain = authority
address = "0x" 40*40HEXDIG
statement = 1*( reserved / unreserved / " " )
version = "1"
chain-id = 1*DIGIT
nonce = 8*( ALPHA / DIGIT )
issued-at = date-time
expiration-time = date-time
not-before = date-time
request-id = *pchar
resources = *( LF resource )
resource = "- " uri
"""

_ELSEWHERE = [(name, rfc3986.Rule(name)) for name in ("scheme", "authority", "uri", "reserved", "unreserved", "pchar")]


@load_grammar_rulelist([*_ELSEWHERE, ("date-time", rfc3339.Rule("date-time"))])
class Eip4361(Rule):
    """The rules of EIP-4361."""

    grammar: ClassVar[str] = GRAMMAR.strip()


def parsed(text: str) -> dict[str, str] | None:
    """Return a message's members by the grammar's names; None if it is no message."""
    try:
        tree = Eip4361("sign-in-with-ethereum").parse_all(text)
    except ParseError:
        return None
    return {node.name: node.value for node in tree.children if node.name not in ("literal", "LF")}
