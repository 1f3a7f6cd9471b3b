"""The records over HTTP: one, and page by page."""

from __future__ import annotations


def test_the_record_of_a_call(visit) -> None:
    async def test(visitor) -> None:
        interaction_id = await visitor.finished_call()
        status, record = await visitor.ask("GET", f"/interactions/{interaction_id}")
        assert status == 200
        assert [entry["state"] for entry in record["states"]] == [
            "created",
            "dialling",
            "connected",
            "wrapUp",
            "finished",
        ]
        assert (record["state"], record["disposition"], record["user"]) == ("finished", "resolved", "alice")
        assert record["talk_s"] == record["states"][2]["seconds"]

    visit(test)


def test_records_in_pages(visit) -> None:
    async def test(visitor) -> None:
        ids = [await visitor.finished_call(name) for name in ("alice", "bob", "alice")]
        _, page = await visitor.ask("GET", "/interactions")
        assert [item["interactionID"] for item in page["items"]] == ids
        assert page["next"] is None
        _, page = await visitor.ask("GET", "/interactions?user=alice&limit=1")
        assert [item["interactionID"] for item in page["items"]] == ids[:1]
        _, page = await visitor.ask("GET", page["next"])
        assert [item["interactionID"] for item in page["items"]] == ids[2:]
        since = page["items"][0]["started_at"]
        _, page = await visitor.ask("GET", "/interactions", params={"since": since})
        assert ids[2] in [item["interactionID"] for item in page["items"]]
        _, page = await visitor.ask("GET", "/interactions?since=2999-01-01T00:00:00Z")
        assert page == {"items": [], "next": None}

    visit(test)


def test_the_pages_of_a_user_one_after_the_other(visit) -> None:
    async def test(visitor) -> None:
        ids = [await visitor.finished_call("alice") for _ in range(3)]
        await visitor.finished_call("bob")
        seen: list[str] = []
        path = "/interactions?user=alice&limit=2&since=2020-01-01T00:00:00%2B01:00"
        while path is not None:
            _, page = await visitor.ask("GET", path)
            assert len(page["items"]) <= 2
            seen += [item["interactionID"] for item in page["items"]]
            path = page["next"]
        assert seen == ids

    visit(test)
