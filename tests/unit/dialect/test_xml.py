"""XML with the rules of `Json`: what is read of it, how it is written, and what is refused."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from antiphon import Data, DialectError, ErrorReply, Meeting, Message, ScenarioError, Xml
from antiphon.conversation.match import matches
from antiphon.conversation.typed_waits import typed_body


class Colour(Enum):
    RED = "red"


class Order(msgspec.Struct):
    number: int
    colour: Colour = Colour.RED
    items: list[str] = []


def hear(data: Data, dialect: Xml | None = None) -> Message:
    (message,) = (dialect or Xml()).codec(Meeting()).decode(data)
    return message


def body(data: Data, **options: Any) -> Any:
    """What is read, without the name of the root."""
    message = hear(data, Xml(**options))
    assert message.body.pop("#name") == message.name
    return message.body


def said(name: str, what: Any, **options: Any) -> Data:
    return Xml(**options).codec(Meeting()).encode(name, what).raw


# -- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("xml", "read"),
    [
        ("<a/>", {}),
        ("<a></a>", {}),
        ("<a>text</a>", {"#text": "text"}),
        ("<a> </a>", {"#text": " "}),
        ("<a>\n  <b>1</b>\n  <c/>\n</a>", {"b": "1", "c": ""}),
        ("<a><b>1</b><c/><b x='2'>3</b><b/></a>", {"b": ["1", {"@x": "2", "#text": "3"}, ""], "c": ""}),
        ("<a x='1'><b y=''/></a>", {"@x": "1", "b": {"@y": ""}}),
        ("<a x='1'> y </a>", {"@x": "1", "#text": " y "}),
        ("<a>one <b>two</b> three\n</a>", {"#text": "one  three", "b": "two"}),
        ("<a><b>&lt;&amp;&#228;&#x1F642;<![CDATA[<c>]]></b></a>", {"b": "<&ä🙂<c>"}),
        ("<!-- 1 --><?p i?><a><b>1<!-- 2 -->2<?p i?></b></a>", {"b": "12"}),
        ("<a><#/></a>".replace("#", "b"), {"b": ""}),
        ("<a x='1\n2'>1\r\n2</a>", {"@x": "1 2", "#text": "1\n2"}),
        ("<größe maß='1'/>", {"@maß": "1"}),
    ],
)
def test_a_document_is_an_object(xml: str, read: Any) -> None:
    assert body(xml) == read
    assert body(xml.encode()) == read


def test_one_element_may_be_a_list_too() -> None:
    xml = "<a><b>1</b><c><b/></c></a>"
    assert body(xml, lists=["b"]) == {"b": ["1"], "c": {"b": [""]}}
    assert body("<a><b/><b/></a>", lists=["b"]) == {"b": ["", ""]}


@pytest.mark.parametrize(
    "data",
    [
        '\ufeff<a b="ä"/>',
        '<?xml version="1.0" encoding="ISO-8859-1"?><a b="ä"/>',  # a text has been decoded, whatever it says
        '\ufeff<?xml version="1.0" encoding="nothing"?><a b="ä"/>',
        '<a b="ä"/>'.encode(),
        '\ufeff<a b="ä"/>'.encode(),
        '<?xml version="1.0" encoding="ISO-8859-1"?><a b="ä"/>'.encode("latin-1"),
        '<?xml version="1.0" encoding="windows-1252"?><a b="ä"/>'.encode("cp1252"),
        '<?xml version="1.0" encoding="utf-16"?><a b="ä"/>'.encode("utf-16"),
        '\ufeff<a b="ä"/>'.encode("utf-16-be"),
        '<?xml version="1.0" standalone="yes"?><a b="ä"/>'.encode(),
    ],
)
def test_text_and_bytes_are_read(data: Data) -> None:
    assert body(data) == {"@b": "ä"}


def test_bodies_fit_patterns() -> None:
    order = hear("<order id='7'><item>tea</item><item>milk</item><to><city>Ulm</city></to></order>")
    assert (order.name, order["@id"], order["to"]["city"]) == ("order", "7", "Ulm")
    assert matches({"@id": {"7", "8"}, "item": ["tea", ...], "to": {"city": "Ulm"}}, order.body)


# -- namespaces -------------------------------------------------------------------------------------------------------

NESTED = '<x:a xmlns:x="urn:x" xmlns="urn:d" x:k="1" l="2" xml:lang="de"><b/><x:b><c xmlns=""/></x:b></x:a>'


@pytest.mark.parametrize(
    ("namespaces", "name", "read"),
    [
        (
            None,
            "{urn:x}a",
            {"@{urn:x}k": "1", "@l": "2", "@xml:lang": "de", "{urn:d}b": "", "{urn:x}b": {"c": ""}},
        ),
        (
            {"y": "urn:x", "": "urn:d"},
            "y:a",
            {"@y:k": "1", "@l": "2", "@xml:lang": "de", "b": "", "y:b": {"{}c": ""}},
        ),
        ({"": "urn:x"}, "a", {"@{urn:x}k": "1", "@l": "2", "@xml:lang": "de", "{urn:d}b": "", "b": {"{}c": ""}}),
    ],
)
def test_names_have_our_prefixes_or_their_namespace(namespaces: Any, name: str, read: Any) -> None:
    message = hear(NESTED, Xml(namespaces=namespaces))
    assert message.body == {"#name": name, **read}
    again = said(message.name, message.body, namespaces=namespaces)
    assert hear(again, Xml(namespaces=namespaces)).body == message.body
    assert hear(again).body == hear(NESTED).body


def test_namespaces_are_declared_where_they_are_used() -> None:
    assert said("o:a", {"b": 1}, namespaces={"o": "urn:o", "p": "urn:p"}) == '<o:a xmlns:o="urn:o"><b>1</b></o:a>'
    assert said("a", {"b": {"{}c": None}}, namespaces={"": "urn:o"}) == '<a xmlns="urn:o"><b><c xmlns=""/></b></a>'
    other = said("a", {"{u:1}b": {"@{u:1}c": "", "@{u:2}c": ""}}, namespaces={"ns1": "u:3"})
    assert other == '<a xmlns:ns2="u:1" xmlns:ns3="u:2"><ns2:b ns2:c="" ns3:c=""/></a>'
    assert said("{u:&}a", {"@xml:lang": "de"}) == '<ns1:a xmlns:ns1="u:&amp;" xml:lang="de"/>'


@pytest.mark.parametrize(
    ("namespaces", "told"),
    [
        ({"1": "u"}, "'1' cannot be a prefix"),
        ({"a:b": "u"}, "'a:b' cannot be a prefix"),
        ({"xml": "u"}, "'xml' cannot be a prefix"),
        ({"Xmlns": "u"}, "'Xmlns' cannot be a prefix"),
        ({"a": ""}, "'' cannot be a namespace"),
        ({"a": "u}v"}, "'u}v' cannot be a namespace"),
        ({"a": 5}, "5 cannot be a namespace"),
        ({"a": "u", "": "u"}, "one namespace twice"),
        ({"a": "http://www.w3.org/XML/1998/namespace"}, "one namespace twice"),
    ],
)
def test_namespaces_that_cannot_be(namespaces: Any, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        Xml(namespaces=namespaces)


# -- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "xml"),
    [
        (None, "<a/>"),
        ({"b": None, "c": "", "d": [], "e": [1, None]}, "<a><b/><c/><e>1</e><e/></a>"),
        (
            {"b": True, "c": False, "d": 1.5, "e": Decimal("1.50")},
            "<a><b>true</b><c>false</c><d>1.5</d><e>1.50</e></a>",
        ),
        ({"@b": 5, "@c": True, "@d": '<"&\n\t\r>'}, '<a b="5" c="true" d="&lt;&quot;&amp;&#10;&#9;&#13;&gt;"/>'),
        ({"#text": "]]>\r\n", "b": {"#text": "x"}}, "<a>]]&gt;&#13;\n<b>x</b></a>"),
        (
            {"at": datetime(2026, 11, 27, 16, 0, tzinfo=UTC), "data": b"\xff"},
            "<a><at>2026-11-27T16:00:00Z</at><data>/w==</data></a>",
        ),
        (Order(7, items=["x", "y"]), "<a><number>7</number><colour>red</colour><items>x</items><items>y</items></a>"),
        ({"#name": "other", "b": "1"}, "<a><b>1</b></a>"),
        ({"größe": {"maß": 1}}, "<a><größe><maß>1</maß></größe></a>"),
    ],
)
def test_an_object_is_a_document(what: Any, xml: str) -> None:
    assert said("a", what) == xml


def test_an_encoding_is_declared() -> None:
    latin = said("a", {"b": "ä€"}, encoding="iso-8859-1")
    assert latin == b'<?xml version="1.0" encoding="iso-8859-1"?><a><b>\xe4&#8364;</b></a>'
    assert said("a", None, encoding="utf-16") == '<?xml version="1.0" encoding="utf-16"?><a/>'.encode("utf-16")
    with pytest.raises(ScenarioError, match="XML is not written in 'rot13'"):
        Xml(encoding="rot13")


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"a": object()}, "unsupported"),
        ({"a": float("inf")}, "inf is no number"),
        ({"a": [[1]]}, "a has a list in a list"),
        ({"@a": {"b": 1}}, "@a is a text or number"),
        ({"@a": [1]}, "@a is a text or number"),
        ({"#text": [1]}, "#text is a text or number"),
        ({"a": {"#name": "x"}}, "'#name' is no name"),
        ({"": 1}, "'' is no name"),
        ({"@": 1}, "'' is no name of an attribute"),
        ({5: 1}, "5 is no name"),
        ({"a b": 1}, "'a b' is no name"),
        ({"a><b/": 1}, "is no name"),
        ({"a:b:c": 1}, "is no name"),
        ({"xmlns": "u"}, "'xmlns' is no name"),
        ({"@xmlns": "u"}, "'xmlns' is no name"),
        ({"@xmlns:x": "u"}, "'xmlns:x' is no name"),
        ({"x:a": 1}, "the prefix of 'x:a' is not one of namespaces="),
        ({"1a": 1}, "not well-formed"),
        ({"-": 1}, "not well-formed"),
        ({"{u:v}1": 1}, "not well-formed"),
        ({"a": "\x00"}, r"the character '\\x00' cannot stand in XML"),
        ({"@a": "\ufffe"}, r"the character '\\ufffe' cannot stand in XML"),
        ({"a": "\ud800"}, r"the character '\\ud800' cannot stand in XML"),
        ({"\ud800": 1}, "can't encode"),
        ([1], r"it must be an object, not \['1'\]"),
        (5, "it must be an object, not '5'"),
    ],
)
def test_what_cannot_be_written_is_told(what: Any, told: str) -> None:
    with pytest.raises(DialectError, match=f"a cannot be written as XML: .*{told}"):
        said("a", what)


def test_what_is_too_deep_cannot_be_written() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = {"a": deep}
    endless: dict[str, Any] = {}
    endless["a"] = endless
    for what in (deep, endless):
        with pytest.raises(DialectError, match="a cannot be written as XML"):
            said("a", what)


def test_a_root_must_have_a_name() -> None:
    dialect = Xml("type", envelope={"#name": None})
    with pytest.raises(DialectError, match="'' is no name of an element"):
        dialect.codec(Meeting()).encode("a", None)
    dialect = Xml("type", envelope={"#name": ["x"]})
    with pytest.raises(DialectError, match="there is no name of the root element, '#name'"):
        dialect.codec(Meeting()).encode("a", None)


# -- with a parser that others wrote ----------------------------------------------------------------------------------

LOCAL = st.from_regex(r"[A-Za-z_ä][A-Za-z0-9_.ä-]{0,5}", fullmatch=True)
PREFIXES = {"": "urn:d", "p": "http://x.y/p"}
ELEMENT = st.one_of(
    LOCAL,
    LOCAL.map("p:{}".format),
    LOCAL.map("{{urn:z}}{}".format),
    LOCAL.map("{{}}{}".format),
)
ATTRIBUTE = st.one_of(LOCAL, LOCAL.map("p:{}".format), LOCAL.map("{{urn:d}}{}".format)).filter(
    lambda name: name != "xmlns"
)
CHARACTERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff", min_codepoint=32))
VALUE = st.one_of(CHARACTERS, st.sampled_from(["\r\n", "\t", " a\rb ", "]]>", "<&\"'>"]))
NODE = st.recursive(
    st.fixed_dictionaries({"attributes": st.dictionaries(ATTRIBUTE, VALUE, max_size=3), "inside": VALUE}),
    lambda inner: st.fixed_dictionaries(
        {
            "attributes": st.dictionaries(ATTRIBUTE, VALUE, max_size=3),
            "inside": st.lists(st.tuples(ELEMENT, inner), min_size=1, max_size=4),
        }
    ),
    max_leaves=8,
)


def clark(name: str, *, is_attribute: bool = False) -> str:
    """The name as lxml has it."""
    if name.startswith("{}"):
        return name[2:]
    if name.startswith("{"):
        return name
    prefix, _, local = name.rpartition(":")
    return name if is_attribute and not prefix else f"{{{PREFIXES[prefix]}}}{local}"


def as_object(node: Any) -> dict[str, Any]:
    """The node as the body that it is to be."""
    made: dict[str, Any] = {f"@{name}": value for name, value in node["attributes"].items()}
    if isinstance(node["inside"], str):
        return made | ({"#text": node["inside"]} if node["inside"] else {})
    for name, inner in node["inside"]:
        value = as_object(inner)
        value = value.get("#text", "") if value.keys() <= {"#text"} else value
        made.setdefault(name, []).append(value)
    return {name: each[0] if isinstance(each, list) and len(each) == 1 else each for name, each in made.items()}


def by_lxml(name: str, node: Any, parent: Any = None) -> Any:
    """The node as an element of lxml, made in its place: when it is put there afterwards, prefixes may get mixed up."""
    tag = clark(name)
    element = etree.Element(tag) if parent is None else etree.SubElement(parent, tag)
    for attribute, value in node["attributes"].items():
        element.set(clark(attribute, is_attribute=True), value)
    if isinstance(node["inside"], str):
        element.text = node["inside"]
    else:
        for inner in node["inside"]:
            by_lxml(*inner, element)
    return element


def of_lxml(element: Any) -> tuple[Any, ...]:
    """What there is to an element, whatever its prefixes are, and in whatever order it has elements of other names."""
    inner = sorted((of_lxml(each) for each in element), key=lambda each: each[0])
    return element.tag, dict(element.attrib), element.text or "", inner


@settings(max_examples=100)
@given(name=ELEMENT, node=NODE)
def test_lxml_reads_what_is_written_and_writes_what_is_read(name: str, node: Any) -> None:
    dialect = Xml(namespaces=PREFIXES)
    theirs, what = by_lxml(name, node), as_object(node)
    written = said(name, what, namespaces=PREFIXES)
    assert of_lxml(etree.fromstring(str(written))) == of_lxml(theirs)
    for encoding in ("unicode", "utf-8", "utf-16"):
        assert hear(etree.tostring(theirs, encoding=encoding), dialect).body == {"#name": name, **what}


# -- the rules of Json ------------------------------------------------------------------------------------------------

MESSAGES = Xml(
    "@type",
    "payload",
    reply="{name}Reply",
    id="head.id",
    failed={"code": {"404", "500"}},
    provisional={"code": "100"},
    envelope={"#name": "message", "@version": 2},
)


def test_name_body_and_id_stand_where_they_are_said_to() -> None:
    codec = MESSAGES.codec(Meeting())
    request = codec.request("get", {"key": 5})
    told = '<message version="2" type="get"><payload><key>5</key></payload><head><id>1</id></head></message>'
    assert (request.raw, request.asks, request.body) == (told, "1", {"key": "5"})
    (reply,) = codec.decode(
        '<message type="getReply"><head><id>1</id></head><payload><code>404</code></payload></message>'
    )
    assert (reply.name, reply.reply_to, reply.is_last, reply.is_failure) == ("getReply", "1", True, True)
    (interim,) = codec.decode(
        '<message type="getReply"><head><id>1</id></head><payload><code>100</code></payload></message>'
    )
    assert (interim.reply_to, interim.is_last) == ("1", False)
    assert hear("<message/>", MESSAGES).name == "unnamed"
    assert hear("<message type='x'/>", MESSAGES).body == {}
    assert hear("<message type='x'><payload/></message>", MESSAGES).body == {}


def test_an_id_is_a_text_however_it_is_given() -> None:
    dialect = Xml(reply="{name}Reply", id="@id")
    request = dialect.codec(Meeting()).request("get", {"@id": 7})
    assert (request.raw, request.asks) == ('<get id="7"/>', "7")
    assert dialect.codec(Meeting()).request("get", None).asks == "1"


def test_answers_are_judged_as_the_peer_reads_them() -> None:
    codec = MESSAGES.codec(Meeting())
    (request,) = codec.decode('<message type="get"><head><id>9</id></head></message>')
    refused = codec.refuse(request, ErrorReply(404, "not found", since=2016))
    assert "<code>404</code><message>not found</message><since>2016</since>" in str(refused.raw)
    assert not codec.answer_interim(request, {"code": 100}).is_last
    assert codec.answer_interim(request, {"code": 200}).is_last
    with pytest.raises(DialectError, match="the refusal of get would not be one"):
        codec.refuse(request, ErrorReply(403, "no"))
    with pytest.raises(DialectError, match="get cannot be written as XML"):
        codec.refuse(request, ErrorReply(404, "no", since=object()))


def test_a_path_may_have_a_namespace() -> None:
    dialect = Xml("{http://x.y/[1]}head.@{http://x.y/z}type", envelope={"#name": "m"})
    message = hear('<m><h:head xmlns:h="http://x.y/[1]" xmlns:t="http://x.y/z" t:type="news"/></m>', dialect)
    assert message.name == "news"
    assert hear(dialect.codec(Meeting()).encode("news", None).raw, dialect).name == "news"


def test_the_numbers_of_a_type_are_read_out_of_texts() -> None:
    message = hear("<order><number>7</number><colour>red</colour><items>x</items></order>", Xml(lists=["items"]))
    assert typed_body(Order, message) == Order(7, Colour.RED, ["x"])
    with pytest.raises(msgspec.ValidationError, match="Expected `int`, got `str`"):
        typed_body(Order, hear("<order><number>seven</number></order>"))
    with pytest.raises(msgspec.ValidationError, match="Expected `int`, got `str`"):
        typed_body(Order, Message("order", {"number": "7"}, "{}"))


def test_a_type_is_named_as_in_json() -> None:
    assert Xml().name_of(Order) == "order"


def test_options_that_cannot_be() -> None:
    with pytest.raises(ScenarioError, match="the name is not the root element's"):
        Xml("@type")
    with pytest.raises(ScenarioError, match="the root of an XML document is no array"):
        Xml("[0]", "[1]")
    with pytest.raises(ScenarioError, match="lists= has names of elements, not 'item'"):
        Xml(lists="item")
    with pytest.raises(ScenarioError, match="is no path of a field"):
        Xml("a..b")


# -- what is wrong, or meant badly ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("", "the frame is empty"),
        (b"", "the frame is empty"),
        ("hello", "not XML: syntax error: line 1, column 0; the data begins 'hello'"),
        ("<a><b></a>", "mismatched tag: line 1"),
        ("<a/><b/>", "junk after document element"),
        ("<a x='1' x='2'/>", "duplicate attribute"),
        ('<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>', "duplicate attribute"),
        ("<a>&nothing;</a>", "undefined entity"),
        ("<x:a/>", "unbound prefix"),
        ("<a>\x00</a>", "not well-formed"),
        ("<a>\ud800</a>", "surrogates not allowed"),
        (b"<a>\xff</a>", "not well-formed"),
        (b'<?xml version="1.0" encoding="rot13"?><a/>', "the encoding 'rot13' is not read"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "the encoding 'utf-7' is not read"),
        (b'<?xml version="1.0" encoding="iso-8859-12"?><a/>', "the encoding 'iso-8859-12' is not read"),
        (b'<?xml version="1.0" encoding="utf-16"?><a/>', "not XML: "),
    ],
)
def test_what_is_no_xml_is_told(data: Data, told: str) -> None:
    with pytest.raises(DialectError, match=r"^not XML: ") as error:
        hear(data)
    assert told in str(error.value)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE = {
    "a document type": "<!DOCTYPE a><a/>",
    "its own": '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    "a billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><a>&l11;</a>',
    "quadratic": f'<!DOCTYPE a [<!ENTITY x "{"x" * 100_000}">]><a>{"&x;" * 100_000}</a>',
    "a file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "a definition elsewhere": '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
    "a parameter entity": '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/a"> %x;]><a/>',
    "attributes by default": "<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>",
}


@pytest.mark.parametrize("xml", HOSTILE.values(), ids=HOSTILE)
def test_no_document_type_is_read(xml: str) -> None:
    for data in (xml, xml.encode(), f"\n<!-- x -->{xml}"):
        with pytest.raises(DialectError, match=r"a document type \(DOCTYPE\) in line \d, which is not read") as error:
            hear(data)
        assert "a small document could be endless" in str(error.value)


def attributes(count: int) -> str:
    return " ".join(f"x{number}=''" for number in range(count))


def test_what_is_too_deep_or_too_much_is_told() -> None:
    assert hear(f"{'<a>' * 200}{'</a>' * 200}").name == "a"
    for depth in (201, 100_000):
        with pytest.raises(DialectError, match="elements are nested more than 200 deep"):
            hear(f"{'<a>' * depth}{'</a>' * depth}")
    few = Xml(limit_elements=10)
    assert len(hear(f"<a>{'<b/>' * 9}</a>", few)["b"]) == 9
    for xml in (f"<a>{'<b/>' * 10}</a>", f"<a {attributes(10)}/>"):
        with pytest.raises(DialectError, match="more than 10 elements and attributes"):
            hear(xml, few)
    for xml in (f"<a xmlns='{'u' * 1_998}'/>", f"<{'a' * 2_000}/>", f"<a {'x' * 2_000}=''/>"):
        with pytest.raises(DialectError, match="a name of 2,000 characters; 1,000 are the limit"):
            hear(xml)


@pytest.mark.parametrize(
    ("xml", "is_read"),
    [
        (f"<a>{'<b/>' * 200_000}</a>", False),
        (f"<a {attributes(50_000)}/>", False),
        (f"<a xmlns='{'u' * 900}'>{''.join(f'<b{number}/>' for number in range(9_900))}</a>", True),
        (f"<a x='{'y' * 4_000_000}'>{'z' * 4_000_000}</a>", True),
    ],
    ids=["elements", "attributes", "namespaces", "values"],
)
def test_no_document_takes_much_memory(xml: str, is_read: bool) -> None:
    dialect = Xml(limit_elements=10_000)
    tracemalloc.start()
    try:
        if is_read:
            hear(xml, dialect)
        else:
            with pytest.raises(DialectError, match="more than 10,000 elements and attributes"):
                hear(xml, dialect)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 32 * 1024 * 1024
