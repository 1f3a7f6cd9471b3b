"""The metrics of a centre that runs."""

from __future__ import annotations


def test_metrics(visit) -> None:
    async def test(visitor) -> None:
        async def scrape() -> str:
            async with visitor.session.get(visitor.centre.address + "/metrics") as response:
                assert response.status == 200
                assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
                return await response.text()

        assert "\ncontact_centre_desks 0\n" in await scrape()
        await visitor.finished_call()
        async with visitor.desk() as desk:
            await desk.open()
            await desk.say("makeCoffee")
            await desk.hear_all("error")
            text = await scrape()
        for sample in (
            "desks 1",
            'agents{state="notReady"} 1',
            'logins_total{result="success"} 2',
            "desks_opened_total 2",
            'interactions_ended_total{channel="voice",direction="out",outcome="agent"} 1',
            'messages_received_total{action="hangUp"} 1',
            'messages_received_total{action="other"} 1',
            'messages_sent_total{action="resultHangUp"} 1',
            'faults_total{kind="twice"} 1',
        ):
            assert f"\ncontact_centre_{sample}\n" in text

    visit(test, faults=["twice:newRtc,user=alice,nth=2", "twice:error"])
