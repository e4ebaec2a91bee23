"""Proxies inside the operator's own network are refused, however their address is written."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget_kernel.clock import ManualClock
from xget_kernel.errors import StartupError
from xget_proxy.service.addresses import Allowed, inside, inside_name, literal
from xget_proxy.settings import Settings
from xget_rpc.client import RpcNotFound
from xget_testing.apps import LOOPBACK
from xget_testing.tokens import TokenMaker

URL = "/api/v1/proxies"
OWN = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "224.0.0.0/4", "240.0.0.0/4", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "::/96",
]  # fmt: skip
OWN_ADDRESSES = st.sampled_from(OWN).flatmap(lambda text: st.ip_addresses(network=text))
OWN_V4 = st.sampled_from([text for text in OWN if "." in text]).flatmap(lambda text: st.ip_addresses(v=4, network=text))


@given(OWN_ADDRESSES)
def test_every_address_of_the_own_networks_is_inside(address: Any) -> None:
    assert inside(address)


@given(OWN_V4)
def test_what_carries_an_inside_address_is_inside(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    carriers = [
        (0xFFFF << 32) | number,
        (0x2002 << 112) | (number << 80),
        (0x64FF9B << 96) | number,
        (0x20010000 << 96) | (0x08080808 << 64) | (number ^ 0xFFFFFFFF),
        (0x2A00 << 112) | (0x5EFE << 32) | number,
    ]
    assert all(inside(ipaddress.IPv6Address(carrier)) for carrier in carriers)


@given(st.ip_addresses(v=4))
def test_every_way_to_write_an_address_is_seen_through(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for written in (hex(number), oct(number).replace("o", ""), str(number), f"{number >> 24}.{number & 0xFFFFFF}"):
        assert literal(written) == ipaddress.IPv4Address(socket.inet_aton(written)) == address


@given(st.ip_addresses(v=4))
def test_what_is_not_inside_is_public(address: ipaddress.IPv4Address) -> None:
    if not inside(address):
        assert address.is_global
        assert not address.is_multicast
        assert Allowed.parse(str(address)).address(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public_addresses_are_outside(address: str) -> None:
    assert not inside(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "::1"])
def test_addresses_of_a_clouds_own_services_are_inside(address: str) -> None:
    assert inside(ipaddress.ip_address(address))


@pytest.mark.parametrize("name", ["localhost", "a.localhost", "printer", "nas.local", "metadata.google.internal"])
def test_names_of_a_local_network_are_inside_without_being_looked_up(name: str) -> None:
    assert inside_name(name)
    assert not inside_name(f"{name}.example.org")


@pytest.mark.parametrize("setting", ["10.0.0.0/33", "ho st", "http://x", "0x7f.1"])
def test_a_setting_that_is_no_network_stops_the_start(setting: str) -> None:
    with pytest.raises(StartupError, match="XGET_PROXY_ALLOW_NETWORKS"):
        Allowed.parse(setting)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"proxy_allow_networks": "192.168.7.0/24, gate.example.org"})


@pytest.fixture
async def analyst(app: FastAPI, client: httpx.AsyncClient, tokens: TokenMaker) -> Any:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=LOOPBACK) as caller:
        caller.headers["Authorization"] = f"Bearer {tokens.make('ann', ['analyst'])}"
        yield caller


def body(ip: str, **more: Any) -> dict[str, Any]:
    return {"type": "http", "ip": ip, "port": 8080, **more}


async def test_a_proxy_inside_is_refused_with_the_way_out(
    client: httpx.AsyncClient, names: dict[str, list[str]]
) -> None:
    names["trap.example.org"] = ["8.8.8.8", "127.0.0.1"]
    for ip in ("127.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "0x7f.0x1", "localhost", "trap.example.org"):
        answer = await client.post(URL, json=body(ip))
        assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, "internal"), ip
        assert "allow_internal" in answer.json()["detail"]
    proxy = (await client.post(URL, json=body("8.8.8.8"))).json()
    moved = await client.put(f"{URL}/{proxy['id']}", json={"ip": "10.0.0.1"})
    assert moved.status_code == 422
    listed = (await client.post(f"{URL}/import", json={"text": "10.0.0.1:80\n9.9.9.9:80\ntrap.example.org:1"})).json()
    assert [line["outcome"] for line in listed["lines"]] == ["refused", "created", "refused"]


async def test_the_operators_networks_and_names_are_let_in(
    client: httpx.AsyncClient, names: dict[str, list[str]]
) -> None:
    names["gate.example.org"] = ["10.1.1.1"]
    for ip in ("192.168.7.9", "gate.example.org", "not-known-yet.example.org"):
        assert (await client.post(URL, json=body(ip))).status_code == 201


async def test_only_operators_let_a_proxy_be_inside(client: httpx.AsyncClient, analyst: httpx.AsyncClient) -> None:
    wish = body("127.0.0.1", allow_internal=True)
    assert (await analyst.post(URL, json=wish)).status_code == 403
    listed = {"text": "127.0.0.1:80", "allow_internal": True}
    assert (await analyst.post(f"{URL}/import", json=listed)).status_code == 403
    own = (await analyst.post(URL, json=body("9.9.9.9"))).json()
    assert (await analyst.put(f"{URL}/{own['id']}", json={"allow_internal": True})).status_code == 403
    made = (await client.post(URL, json=wish)).json()
    assert made["allow_internal"] is True
    moved = (await client.put(f"{URL}/{made['id']}", json={"ip": "8.8.4.4"})).json()
    assert moved["allow_internal"] is False, "it was said of the other place"


async def test_a_name_that_moves_inside_is_neither_checked_nor_lent(
    client: httpx.AsyncClient, pool: Any, names: dict[str, list[str]], clock: ManualClock
) -> None:
    names["moves.example.org"] = ["8.8.8.8"]
    proxy = (await client.post(URL, json=body("moves.example.org", username="u"))).json()
    lent = await pool.Acquire(pb.AcquireRequest(owner_id="ada"))
    assert lent.url == "http://u@8.8.8.8:8080", "nobody looks the name up again after us"
    names["moves.example.org"] = ["127.0.0.1"]
    clock.advance(31)
    checked = (await client.post(f"{URL}/check", json={"ids": [proxy["id"]]})).json()["items"][0]
    assert not checked["ok"]
    assert "own network" in checked["reason"]
    with pytest.raises(RpcNotFound):
        await pool.Acquire(pb.AcquireRequest(owner_id="ada"))
    read = (await client.get(f"{URL}/{proxy['id']}")).json()
    assert (read["status"], "own network" in read["error_msg"]) == ("INACTIVE", True)
