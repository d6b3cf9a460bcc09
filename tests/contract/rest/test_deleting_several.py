"""A server may be set to let a conditional delete take all that its condition fits."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from helsevev.fhir_api.application import FhirApi
from helsevev.kit.settings import BadSetting, Settings

from .conftest import Api


async def test_where_it_is_set_all_that_fit_go_in_one_act(api: Api) -> None:
    application = FhirApi(api.services, deletes_several=True)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application),
        base_url="http://record.example/fhir/",
        headers={"authorization": f"Bearer {api.tokens['system']}"},
    ) as client:
        statement = (await client.get("metadata")).json()
        claimed = {r["conditionalDelete"] for r in statement["rest"][0]["resource"]}
        assert claimed == {"multiple"}
        body: dict[str, Any] = {
            "resourceType": "Basic",
            "code": {"text": "x"},
            "identifier": [{"system": "urn:test", "value": "several"}],
        }
        made = [(await client.post("Basic", json=body)).json()["id"] for _ in range(3)]
        refused = await api.system.delete("Basic?identifier=urn:test|several")
        assert refused.status_code == 412
        gone = await client.delete("Basic?identifier=urn:test|several")
        assert gone.status_code == 204
        for each in made:
            assert (await client.get(f"Basic/{each}")).status_code == 410
        assert (await client.delete("Basic?identifier=urn:test|several")).status_code == 204
        assert (await client.delete("Basic?_count=1")).status_code == 400


def test_the_setting_is_one_of_two_words() -> None:
    name = "HELSEVEV_CONDITIONAL_DELETE"
    assert not Settings.from_environment({}).deletes_several
    assert not Settings.from_environment({name: "single"}).deletes_several
    assert Settings.from_environment({name: "multiple"}).deletes_several
    with pytest.raises(BadSetting, match="single or multiple"):
        Settings.from_environment({name: "all"})
