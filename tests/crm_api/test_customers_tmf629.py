"""Customers in TM Forum's words: the same rows, scope and masks as our own API."""

from collections.abc import Callable

from starlette.testclient import TestClient

from tests.crm_api.world import PEOPLE, World

PATH = "/tmf-api/customerManagement/v5/customer"


def test_a_customer_in_tm_forum_s_words(client: Callable[..., TestClient], world: World) -> None:
    browser, customer = client("baoji_handler"), world[("customer", "own")]
    answer = browser.get(f"{PATH}/{customer}")
    told = answer.json()
    assert told["@type"] == "Customer"
    assert (told["id"], told["href"]) == (str(customer), f"{PATH}/{customer}")
    assert (told["name"], told["status"]) == ("张伟", "Approved")
    assert told["engagedParty"]["@referredType"] == "Individual"
    assert told["contactMedium"][0] == {
        "@type": "PhoneContactMedium",
        "preferred": True,
        "phoneNumber": "138****4567",
    }
    assert [account["name"] for account in told["account"]] == [PEOPLE["own"]["account"]]
    assert PEOPLE["own"]["identity"] not in answer.text


def test_lists_keep_the_scope_and_give_the_fields_asked_for(client: Callable[..., TestClient], world: World) -> None:
    told = client("baoji_handler").get(f"{PATH}?fields=name&status=Approved")
    own = world[("customer", "own")]
    assert told.json() == [{"id": str(own), "href": f"{PATH}/{own}", "@type": "Customer", "name": "张伟"}]
    assert (told.headers["x-total-count"], told.headers["x-result-count"]) == ("1", "1")
    agent = client("agent")
    assert agent.get(f"{PATH}?limit=1").headers["x-total-count"] == "2"
    assert agent.get(f"{PATH}?status=Odd").status_code == 422
    assert agent.get(f"{PATH}?name=李娜&offset=1").json() == []
