"""The table of bad input over HTTP: what is spoilt, and the problem that it must get.

Each row: how a good request is spoilt; status, code, member at fault; what the English and the Chinese text must say.
`tests/api/writing/test_bad_input.py` sends them; those of the command line are in
`tests/acceptance/user/test_bad_input_commands.py`.
"""

from __future__ import annotations

import json

from support.faults.spoilt_requests import (
    SMILE,
    ahead,
    all_of,
    also_by,
    an_upload,
    as_member,
    body,
    by,
    doubled,
    get,
    high_s,
    in_title,
    message,
    of_another_registry,
    raw,
    raw_batch,
    sending,
    sent_by,
    signature,
    signed_for_another_registry,
    title,
    to_batch,
    with_headers,
    without,
)
from support.worlds.registries.registry_world import ALICE, BOB

from deedlog.registry.acceptance.submission import CLOCK_TOLERANCE
from deedlog.registry.hexadecimal import to_hex

LOST, KEPT = "0x" + "00" * 32, "/v1/statements/0x" + "00" * 32

CASES = {
    # A wrong or malleable signature, v outside {27, 28}
    "one bit of r": (
        signature(lambda data: bytes([data[0] ^ 1]) + data[1:]),
        *(422, "signature.", None, "ign", "签"),
    ),
    "one bit of s": (
        signature(lambda data: data[:63] + bytes([data[63] ^ 1]) + data[64:]),
        *(422, "signature.signer", None, "Sign this typed data", "请用所列账户的密钥签署此类型化数据"),
    ),
    "high s": (
        signature(high_s),
        422,
        "signature.high_s",
        None,
        "Send the equivalent low-s signature (n - s",
        "请改用等价的低 s 签名",
    ),
    **{
        f"v {v}": (
            signature(lambda data, v=v: data[:64] + bytes([v])),
            *(422, "signature.v", None, "Send 27 or 28; if it is 0 or 1, add 27", "应为 27 或 28"),
        )
        for v in (0, 1, 26, 29, 37, 255)
    },
    "the other v": (
        signature(lambda data: data[:64] + bytes([55 - data[64]])),
        *(422, "signature.signer", None, "another key signed", "请用所列账户的密钥签署此类型化数据"),
    ),
    "r zero": (signature(lambda data: bytes(32) + data[32:]), 422, "signature.range", None, "Sign again", "请重新签名"),
    "s zero": (
        signature(lambda data: data[:32] + bytes(32) + data[64:]),
        *(422, "signature.range", None, "Sign again", "请重新签名"),
    ),
    "r beyond the order": (
        signature(lambda data: b"\xff" * 32 + data[32:]),
        *(422, "signature.range", None, "Sign again", "请重新签名"),
    ),
    "64 bytes of signature": (
        signature(lambda data: data[:64]),
        *(422, "signature.length", None, "Send all of it, not the short form of", "请完整发送"),
    ),
    "66 bytes of signature": (
        signature(lambda data: data + b"\0"),
        *(422, "signature.length", None, "Send all of it, not the short form of", "请完整发送"),
    ),
    "no byte of signature": (signature(lambda data: data[:0]), 422, "signature.length", None, "65 bytes", "65 字节"),
    "a signature beyond all bounds": (
        signature(lambda data: data * 100),
        *(422, "hex.length", "signatures[0].signature", "Copy it completely", "请完整复制"),
    ),
    "another scheme": (
        as_member("signatures", 0, "scheme", value="ed25519"),
        *(422, "signature.scheme", "signatures[0].scheme", "Sign with secp256k1", "请用 secp256k1 签名"),
    ),
    # A signature for another registry, a signer who is not the one named
    "typed data of another registry": (
        of_another_registry,
        *(422, "typed_data.domain", "domain", "Send it to that registry, or sign again for", "或为本登记处重新签名"),
    ),
    "a chain id in the domain": (
        as_member("typed_data", "domain", "chainId", value="1"),
        *(422, "json.member_unknown", "domain.chainId", "Remove it", "请删除"),
    ),
    "signed for another registry": (
        signed_for_another_registry,
        *(
            422,
            "signature.signer",
            None,
            "Sign this typed data with the key of the",
            "请用所列账户的密钥签署此类型化数据",
        ),
    ),
    "signed by another, named as the creator": (
        by(BOB, named=ALICE),
        *(
            422,
            "signature.signer",
            None,
            "Sign this typed data with the key of the",
            "请用所列账户的密钥签署此类型化数据",
        ),
    ),
    "signed by another, under their own name": (
        by(BOB, named=BOB),
        *(422, "signature.missing", None, "Every signer of this statement must have", "所有签名者都必须签名"),
    ),
    "one signature too many": (
        also_by(BOB),
        *(422, "signature.not_a_signer", None, "Remove its signature", "请移除其签名"),
    ),
    "two of one account": (
        also_by(ALICE),
        *(422, "signature.account_twice", None, "Send one signature for each account", "请只发送一个"),
    ),
    "no signature": (body(signatures=[]), 422, "list.length", "signatures", "1 to 128 items", "1 到 128 项"),
    "129 signatures": (
        lambda sent: sent.body.update(signatures=sent.body["signatures"] * 129),
        *(422, "list.length", "signatures", "1 to 128 items", "1 到 128 项"),
    ),
    "an account with one letter in the wrong case": (
        as_member("signatures", 0, "account", value="0x596ffe27E81cf2Aa1CD8d4e52F70F51c9373cC50"),
        *(422, "account.checksum", "signatures[0].account", "Copy the address again", "请重新复制"),
    ),
    # Hashes of the wrong length or form
    "a hash of 31 bytes": (
        message(contentHash="0x" + "11" * 31),
        *(422, "hex.length", "contentHash", "This must be 32 bytes", "应为 32 字节"),
    ),
    "a hash of 33 bytes": (
        message(salt="0x" + "11" * 33),
        *(422, "hex.length", "salt", "This must be 32 bytes", "应为 32 字节"),
    ),
    "an empty hash": (message(contentHash="0x"), 422, "hex.length", "contentHash", "Copy it completely", "请完整复制"),
    "half a byte of a hash": (
        message(contentHash="0x" + "1" * 63),
        *(422, "hex.malformed", "contentHash", "Write this as 0x and lower-case hex, two", "每字节两位"),
    ),
    "a hash in capitals": (
        message(contentHash="0x" + "AB" * 32),
        *(422, "hex.malformed", "contentHash", "lower-case hex", "小写十六进制"),
    ),
    "a hash without 0x": (
        message(contentHash="11" * 32),
        *(422, "hex.malformed", "contentHash", "Write this as 0x and lower-case hex, two", "每字节两位"),
    ),
    "a hash in Arabic digits": (
        message(contentHash="0x" + "\u0661" * 64),
        *(422, "hex.malformed", "contentHash", "lower-case hex", "小写十六进制"),
    ),
    "an address of 19 bytes": (
        message(creators=["0x" + "11" * 19]),
        *(422, "hex.length", "creators[0]", "This must be 20 bytes", "应为 20 字节"),
    ),
    "the zero address": (
        message(creators=["0x" + "00" * 20]),
        *(422, "account.zero", "creators[0]", "Give the account that signs", "请填写签名账户"),
    ),
    "a creator twice": (
        lambda sent: sent.message.update(creators=sent.message["creators"] * 2),
        *(422, "list.not_ascending", "creators[1]", "Sort it", "请排序"),
    ),
    "65 creators": (
        message(creators=[to_hex(bytes([0] * 18 + [1, number])) for number in range(65)]),
        *(422, "list.length", "creators", "1 to 64 items", "1 到 64 项"),
    ),
    # Unknown, missing, null or doubled members
    "an unknown member": (body(surplus=1), 422, "json.member_unknown", "surplus", "Remove it", "请删除"),
    "an unknown member of the message": (
        message(surplus="1"),
        *(422, "json.member_unknown", "surplus", "Remove it", "请删除"),
    ),
    "an unknown member of a signature": (
        as_member("signatures", 0, "surplus", value="1"),
        *(422, "json.member_unknown", "signatures[0].surplus", "Remove it", "请删除"),
    ),
    "an unknown member of the types": (
        as_member("typed_data", "types", "Share", value=[]),
        *(422, "typed_data.types", "types", "Take the typed data from POST /v1/typed-data/", "请从 POST"),
    ),
    "no typed data": (
        without("typed_data"),
        422,
        "json.member_missing",
        "typed_data",
        "every member is required",
        "请补上",
    ),
    "no signatures": (
        without("signatures"),
        422,
        "json.member_missing",
        "signatures",
        "every member is required",
        "请补上",
    ),
    "no title": (
        without("typed_data", "message", "title"),
        422,
        "json.member_missing",
        "title",
        "every member is required",
        "请补上",
    ),
    "no salt": (
        without("typed_data", "message", "salt"),
        422,
        "json.member_missing",
        "salt",
        "every member is required",
        "请补上",
    ),
    "no domain": (
        without("typed_data", "domain"),
        *(422, "json.member_missing", "typed_data.domain", "every member is required", "请补上"),
    ),
    "a title of null": (title(None), 422, "json.null", "title", "Give its value", "请给出值"),
    "signatures of null": (body(signatures=None), 422, "json.null", "signatures", "Give its value", "请给出值"),
    "a reference of null": (body(reference=None), 422, "json.null", "reference", "Give its value", "请给出值"),
    "a title twice": (doubled(b"title"), 400, "json.member_twice", "title", "Send it once", "请只发送一次"),
    "signatures twice": (doubled(b"signatures"), 400, "json.member_twice", "signatures", "Send it once", "请只发送"),
    "a member twice, once escaped": (
        raw(lambda data: data.replace(b'"title":', b'"t\\u0069tle": "x", "title":', 1)),
        *(400, "json.member_twice", "title", "Send it once", "请只发送一次"),
    ),
    "another kind": (
        as_member("typed_data", "primaryType", value="Song"),
        *(
            422,
            "statement.unknown_kind",
            "primaryType",
            "Use one of: Agreement, Cancellation, Claim",
            "没有这种声明类型",
        ),
    ),
    "a kind that is no text": (
        as_member("typed_data", "primaryType", value=["Work"]),
        *(422, "statement.unknown_kind", "primaryType", "Use one of", "没有这种声明类型"),
    ),
    "types of another kind": (
        as_member("typed_data", "primaryType", value="Upload"),
        *(422, "typed_data.types", "types", "/v1/typed-data/Upload", "/v1/typed-data/Upload"),
    ),
    "a message that is a list": (
        as_member("typed_data", "message", value=[]),
        *(422, "json.not_an_object", None, "This must be a JSON object", "应为 JSON 对象"),
    ),
    "a word of another list": (
        message(basis="theft"),
        *(422, "word.unknown", "basis", "own, employment, commission", "own, employment, commission"),
    ),
    "a media type with a line break": (
        message(mediaType="video/mp4\n"),
        *(422, "text.pattern", "mediaType", "This must match", "必须符合"),
    ),
    # Numbers beyond their type, or JSON numbers where strings are due
    "2^64": (
        message(contentLength=str(2**64)),
        *(422, "integer.range", "contentLength", str(2**64 - 1), str(2**64 - 1)),
    ),
    "a length of 0": (message(contentLength="0"), 422, "integer.range", "contentLength", "from 1 to", "1 到"),
    "-1": (
        message(madeAt="-1"),
        *(422, "integer.not_a_decimal_string", "madeAt", "as a decimal string", "十进制字符串"),
    ),
    "a leading zero": (
        message(madeAt="0123"),
        *(422, "integer.not_a_decimal_string", "madeAt", "as a decimal string", "十进制字符串"),
    ),
    "hex for a number": (
        message(madeAt="0x10"),
        *(422, "integer.not_a_decimal_string", "madeAt", "as a decimal string", "十进制字符串"),
    ),
    "full-width digits": (
        message(madeAt="\uff11\uff12"),
        *(422, "integer.not_a_decimal_string", "madeAt", "as a decimal string", "十进制字符串"),
    ),
    "a JSON number": (
        message(contentLength=23),
        *(422, "integer.not_a_decimal_string", "contentLength", "as a decimal string", "十进制字符串"),
    ),
    "a JSON truth": (
        message(contentLength=True),
        *(422, "integer.not_a_decimal_string", "contentLength", "as a decimal string", "十进制字符串"),
    ),
    "2^53 + 1 as a JSON number": (
        message(contentLength=2**53 + 1),
        *(400, "json.integer", None, "decimal strings", "十进制字符串"),
    ),
    "a number of 200,000 digits": (
        raw(b'{"typed_data": ' + b"9" * 200_000 + b"}"),
        *(400, "json.integer", None, "decimal strings", "十进制字符串"),
    ),
    "a fraction": (
        message(contentLength=1.5),
        400,
        "json.fraction",
        None,
        "Write integers, as decimal strings where the",
        "请写整数",
    ),
    "1e400": (
        raw(b'{"typed_data": 1e400}'),
        400,
        "json.fraction",
        None,
        "Write integers, as decimal strings where the",
        "请写整数",
    ),
    "NaN": (
        raw(b'{"typed_data": NaN}'),
        400,
        "json.fraction",
        None,
        "Write integers, as decimal strings where the",
        "请写整数",
    ),
    # Bytes and text
    "no JSON": (raw(b"title=x"), 400, "json.malformed", None, "Send one JSON object", "发送一个 JSON 对象"),
    "nothing": (raw(b""), 400, "json.malformed", None, "Send one JSON object", "发送一个 JSON 对象"),
    "JSON with a tail": (
        raw(lambda data: data + b"{}"),
        400,
        "json.malformed",
        None,
        "one JSON object",
        "一个 JSON 对象",
    ),
    "JSON cut off": (raw(lambda data: data[:-1]), 400, "json.malformed", None, "one JSON object", "一个 JSON 对象"),
    "a line break in a string": (in_title(b"a\nb"), 400, "json.malformed", None, "JSON library", "JSON 库"),
    "a list": (raw(b"[]"), 422, "json.not_an_object", None, "This must be a JSON object", "应为 JSON 对象"),
    "null": (raw(b"null"), 422, "json.not_an_object", None, "This must be a JSON object", "应为 JSON 对象"),
    "invalid UTF-8": (in_title(b"\xff"), 400, "json.not_utf8", None, "Encode it as UTF-8", "请使用 UTF-8 编码"),
    "a title in GBK": (in_title("论文".encode("gbk")), 400, "json.not_utf8", None, "as UTF-8", "UTF-8 编码"),
    "overlong UTF-8": (in_title(b"\xc0\xaf"), 400, "json.not_utf8", None, "as UTF-8", "UTF-8 编码"),
    "a surrogate in UTF-8": (in_title(b"\xed\xa0\x80"), 400, "json.not_utf8", None, "as UTF-8", "UTF-8 编码"),
    "UTF-16": (raw(lambda data: data.decode().encode("utf-16")), 400, "json.not_utf8", None, "as UTF-8", "UTF-8 编码"),
    "a byte order mark": (
        raw(lambda data: b"\xef\xbb\xbf" + data),
        *(400, "json.malformed", None, "one JSON object", "一个 JSON 对象"),
    ),
    "a lone surrogate": (in_title(rb"a\ud83d"), 400, "json.surrogate", None, "whole characters", "完整的字符"),
    "surrogates the wrong way round": (
        in_title(rb"\ude00\ud83d"),
        *(400, "json.surrogate", None, "whole characters", "完整的字符"),
    ),
    "a lone surrogate as a name": (
        raw(lambda data: data.replace(b'"title":', rb'"\ud800":', 1)),
        *(400, "json.surrogate", None, "whole characters", "完整的字符"),
    ),
    "not NFC": (title("e\u0301"), 422, "text.not_nfc", "title", "Normalise it and sign again", "请规范化"),
    "a compatibility ideograph": (
        title("\uf900"),
        422,
        "text.not_nfc",
        "title",
        "Normalise it and sign again",
        "请规范化",
    ),
    **{
        f"the control U+{ord(character):04X}": (
            title(f"a{character}b"),
            *(422, "text.control", "title", "Remove it", "请删除"),
        )
        for character in "\0\t\n\x1b\x7f\x85\u2028\u2029"
    },
    **{
        f"the bidirectional U+{ord(character):04X}": (
            title(f"a{character}b"),
            *(422, "text.bidirectional", "title", "Remove it", "请删除"),
        )
        for character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    },
    "unassigned": (title("\u0378"), 422, "text.unassigned", "title", "Remove it", "请删除"),
    "a noncharacter": (title("\U0010fffe"), 422, "text.unassigned", "title", "Remove it", "请删除"),
    "a name that turns its text": (
        message(creditedAs="a\u202eb"),
        *(422, "text.bidirectional", "creditedAs", "Remove it", "请删除"),
    ),
    "a title of 0": (title(""), 422, "text.empty", "title", "Write at least one", "请至少填写一个"),
    "a title of spaces": (title(" \u3000\u00a0"), 422, "text.empty", "title", "visible character", "可见字符"),
    "a title of 201 code points": (title("a" * 201), 422, "text.too_long", "title", "Shorten it", "请缩短"),
    # 200 code points have at most 800 bytes: a title of 801 bytes has 201 code points or more, as this one has.
    "a title of 801 bytes": (title(SMILE * 200 + "a"), 422, "text.too_long", "title", "at most 200", "最多 200"),
    "a title that is a number": (title(7), 422, "json.not_a_string", "title", "quotation marks", "引号"),
    # Bodies over the limit, and nested
    "a statement of more than 256 KiB": (
        raw(lambda data: data + b" " * (256 * 1024)),
        *(413, "http.too_large", None, "the 262144-byte limit", "超过 262144 字节"),
    ),
    "a batch of more than 8 MiB": (
        raw_batch("platform", b" " * (8 * 1024 * 1024 + 1)),
        *(413, "http.too_large", None, "the 8388608-byte limit", "超过 8388608 字节"),
    ),
    "lists nested 10,000 deep": (raw(b"[" * 10_000), 400, "json.too_deep", None, "examples", "示例"),
    "closed lists nested 10,000 deep": (
        raw(b"[" * 10_000 + b"]" * 10_000),
        *(400, "json.too_deep", None, "examples", "示例"),
    ),
    "objects nested 10,000 deep": (raw(b'{"a":' * 10_000), 400, "json.too_deep", None, "examples", "示例"),
    "a title nested 65 deep": (
        title(json.loads("[" * 65 + "]" * 65)),
        *(400, "json.too_deep", None, "examples", "示例"),
    ),
    # Clocks
    "made 660 s ahead": (
        ahead(CLOCK_TOLERANCE + 60),
        *(422, "statement.in_the_future", None, "Set your clock", "请校准时钟"),
    ),
    "made at the end of time": (
        message(madeAt=str(2**64 - 1)),
        *(422, "statement.in_the_future", None, "Set your clock", "请校准时钟"),
    ),
    # API keys, quota
    "a batch without a key": (to_batch("anyone"), 403, "api_key.scope", None, "the scope batch", "batch 权限"),
    "an upload without a key": (an_upload("anyone"), 403, "api_key.scope", None, "the scope upload", "upload 权限"),
    "a batch without its scope": (
        to_batch("uploader"),
        403,
        "api_key.scope",
        None,
        "Ask the operator",
        "请向运营方申请",
    ),
    "an upload without its scope": (
        an_upload("batcher"),
        403,
        "api_key.scope",
        None,
        "the scope upload",
        "upload 权限",
    ),
    "a revoked key": (sent_by("revoked"), 401, "api_key.invalid", None, "revoked", "已吊销"),
    "a wrong key": (
        with_headers(Authorization="Bearer deedlog_wrong"),
        *(401, "api_key.invalid", None, "Authorization: Bearer deedlog_", "请以如下形式发送"),
    ),
    "half a key": (
        lambda sent: sent.headers.update(Authorization=sent.site.platform.headers["Authorization"][:-4]),
        *(401, "api_key.invalid", None, "Authorization: Bearer deedlog_", "请以如下形式发送"),
    ),
    "another scheme of authorization": (
        with_headers(Authorization="Basic ZGVlZGxvZzo="),
        *(401, "api_key.invalid", None, "Authorization: Bearer deedlog_", "请以如下形式发送"),
    ),
    "an empty authorization": (
        with_headers(Authorization=""),
        *(401, "api_key.invalid", None, "Authorization: Bearer deedlog_", "请以如下形式发送"),
    ),
    "a missing key where writers need one": (
        sent_by("closed"),
        401,
        "api_key.missing",
        None,
        "Ask its operator",
        "请向运营方申请",
    ),
    "the quota of a network address": (sent_by("tight"), 429, "quota.exceeded", None, "Wait, or ask", "请稍后再试"),
    "the quota of an account": (sent_by("few"), 429, "quota.exceeded", None, "Wait, or ask", "请稍后再试"),
    # Reruns
    "an idempotency key with another body": (
        with_headers(Idempotency_Key="table-1"),
        *(409, "idempotency_key.other_content", None, "Use a new value for a new statement", "新声明请使用新的值"),
    ),
    "an empty idempotency key": (
        with_headers(Idempotency_Key=""),
        *(422, "reference.malformed", "Idempotency-Key", "Choose another value", "请换一个值"),
    ),
    "an idempotency key of 201": (
        with_headers(Idempotency_Key="k" * 201),
        *(422, "reference.malformed", "Idempotency-Key", "1 to 200", "1 到 200"),
    ),
    "an idempotency key with a tab": (
        with_headers(Idempotency_Key="a\tb"),
        *(422, "reference.malformed", "Idempotency-Key", "printable", "可打印"),
    ),
    "a reference without a key": (
        body(reference="video-1"),
        *(422, "reference.needs_api_key", "reference", "Send a key, or leave the reference out", "请附上密钥"),
    ),
    "a reference with a line break": (
        all_of(body(reference="a\r\nSet-Cookie: b"), sent_by("platform")),
        *(422, "reference.malformed", "reference", "printable", "可打印"),
    ),
    "a reference that is a number": (
        all_of(body(reference=17), sent_by("platform")),
        *(422, "json.not_a_string", "reference", "quotation marks", "引号"),
    ),
    "an empty batch": (to_batch("platform", statements=[]), 422, "list.length", "statements", "1 to 500", "1 到 500"),
    "a batch of 501": (
        to_batch("platform", statements=[{}] * 501),
        *(422, "list.length", "statements", "1 to 500", "1 到 500"),
    ),
    "a batch that is an object": (
        to_batch("platform", statements={}),
        *(422, "list.length", "statements", "1 to 500", "1 到 500"),
    ),
    "a batch with a member more": (
        to_batch("platform", atomic=True),
        *(422, "json.member_unknown", "atomic", "Remove it", "请删除"),
    ),
    # Paths, parameters, methods
    **{
        f"the cursor {cursor[:9]}": (
            get(f"{path}?cursor={cursor}"),
            *(422, "http.cursor", "cursor", "Leave it out for the first page", "取第一页时请省略"),
        )
        for path in ("/v1/statements", "/v1/anchors")
        for cursor in ("", "-1", "x", "9" * 19, "9" * 9999, "%D9%A1", "1%00", "+1", "1e3", "%EF%BC%91")
    },
    "a condition misspelt": (
        get("/v1/statements?contenthash=" + LOST),
        *(422, "http.parameter_unknown", "contenthash", "content_hash", "content_hash"),
    ),
    "a condition twice": (
        get(f"/v1/statements?content_hash={LOST}&content_hash={LOST}"),
        *(422, "http.parameter_twice", "content_hash", "Give it once", "请只给出一次"),
    ),
    "a kind that there is not": (
        get("/v1/statements?kind=Song"),
        *(422, "statement.unknown_kind", "kind", "Use one of", "没有这种声明类型"),
    ),
    "typed data of no kind": (
        sending("POST", "/v1/typed-data/Song"),
        *(422, "statement.unknown_kind", "kind", "Use one of", "没有这种声明类型"),
    ),
    "half a digest": (get("/v1/statements/0x12"), 422, "hex.length", "digest", "Copy it completely", "请完整复制"),
    "a digest that is bytes": (get("/v1/statements/%ff%00"), 422, "hex.malformed", "digest", "lower-case", "小写"),
    "a digest with a line break": (
        get(f"{KEPT}%0d%0aSet-Cookie:%20a"),
        *(422, "hex.malformed", "digest", "lower-case hex", "小写十六进制"),
    ),
    "an unknown digest": (get(KEPT), 404, "statement.unknown", None, "Check the digest", "请检查摘要"),
    "the bundle of an unknown digest": (
        get(f"{KEPT}/bundle"),
        *(404, "statement.unknown", None, "Check the digest", "请检查摘要"),
    ),
    **{
        f"the tile {path[:12]}": (
            get(f"/log/tile/{path}"),
            *(404, "tile.path", None, "from /log/checkpoint", "/log/checkpoint"),
        )
        for path in (
            *("%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fx", "0/000/../001", "0/%00", "0/%D9%A1%D9%A1%D9%A1", "99/000"),
            *("0/000.p/0", "0/000.p/256", "0/000.p/-1", "0/x999/x999/x999/x999/x999/x999/999", "%ff"),
        )
    },
    "another path": (get("/v1/nothing"), 404, "http.not_found", None, "/docs", "/docs"),
    "a path that ends in a slash": (get("/v1/statements/"), 404, "http.not_found", None, "/docs", "/docs"),
    "another method": (
        sending("DELETE", KEPT),
        *(405, "http.method_not_allowed", None, "The API page (/docs) lists all operations", "Allow 标头"),
    ),
    "waiting for something else": (
        sending("POST", "/v1/statements?wait=anchored"),
        *(422, "http.parameter", "wait", "/docs", "/docs"),
    ),
}
