"""Slipway's own routes through HTTPX, plain and asynchronous, over connections that are kept."""

import asyncio

import httpx

TRIP = {"distance": 10.0, "stops": 2, "night": True, "city": "rome", "start": "2024-05-01T23:00:00Z"}


def test_a_kept_connection_answers_again_and_again(served):
    with httpx.Client(base_url=served.url) as client:
        answers = [client.post("/predict/trips", json=dict(TRIP, stops=stops)) for stops in range(20)]
    assert [answer.status_code for answer in answers] == [200] * 20
    assert [answer.json()["prediction"]["cost"] for answer in answers] == [29.0 + 3 * stops for stops in range(20)]


def test_many_requests_at_once(served):
    async def ask():
        async with httpx.AsyncClient(base_url=served.url) as client:
            return await asyncio.gather(*(client.post("/predict/plain", json={"x": [i, 0, 0, 0]}) for i in range(50)))

    answers = asyncio.run(ask())
    assert [answer.json()["prediction"]["y"][1] for answer in answers] == [i / 8 for i in range(50)]
