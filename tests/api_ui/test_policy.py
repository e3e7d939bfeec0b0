"""Posts of other sites are refused, and browsers are told to run nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api_ui.pages import HOST, Sandbox, hidden, sandbox

VIEW = "/sandbox/patient/{}/view/patient-view"


def refused(page: Sandbox, headers: dict[str, str], **data: str) -> bool:
    """Whether a post with everything right but what the test changes does nothing."""
    path = VIEW.format(page.patient())
    token = hidden(page.http.get(path), "token")
    answer = page.http.post(path, data={"token": token, "request": "{}", **data}, headers=headers)
    assert answer.status_code in (200, 403)
    return answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9000"},
        {"Origin": HOST, "Sec-Fetch-Site": "cross-site"},
        {"Origin": HOST, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": f"{HOST}.evil.example"},
    ],
)
def test_a_post_from_elsewhere_is_refused(page: Sandbox, headers: dict[str, str]) -> None:
    assert refused(page, headers)


@pytest.mark.parametrize("headers", [{"Origin": HOST}, {"Sec-Fetch-Site": "same-origin"}])
def test_a_post_of_our_own_page_is_taken(page: Sandbox, headers: dict[str, str]) -> None:
    assert not refused(page, headers)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "é"])
def test_a_post_without_the_token_of_this_browser_is_refused(page: Sandbox, token: str) -> None:
    assert refused(page, {"Origin": HOST}, token=token)


def test_a_token_without_its_cookie_is_refused(page: Sandbox) -> None:
    path = VIEW.format(page.patient())
    token = hidden(page.http.get(path), "token")
    page.http.delete_cookie("fhirtwin-sandbox", path="/sandbox")
    assert page.http.post(path, data={"token": token}, headers={"Origin": HOST}).status_code == 403


def test_a_form_that_is_none_is_refused(page: Sandbox) -> None:
    path = VIEW.format(page.patient())
    sent = page.http.post(path, json={"token": "x"}, headers={"Origin": HOST})
    assert sent.status_code == 400
    wrong = page.http.post(
        path, data=b"a=%ff", content_type="application/x-www-form-urlencoded", headers={"Origin": HOST}
    )
    assert wrong.status_code in (400, 403)


def test_a_form_that_is_too_large_is_refused(page: Sandbox) -> None:
    path = VIEW.format(page.patient())
    most = 4 * page.parts.settings.max_body_bytes
    kind, length = "application/x-www-form-urlencoded", {"CONTENT_LENGTH": str(most + 1)}
    sent = page.http.post(path, content_type=kind, headers={"Origin": HOST}, environ_overrides=length)
    assert sent.status_code == 413


def test_pages_run_nothing_and_stand_in_no_frame(page: Sandbox) -> None:
    answer = page.http.get(VIEW.format(page.patient()))
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "script-src" not in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy and "form-action 'self'" in policy
    assert "<script" not in answer.text and "style=" not in answer.text and "http-equiv" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/sandbox" in cookie


def test_behind_a_proxy_the_origin_that_browsers_see_is_ours(tmp_path: Path) -> None:
    made = sandbox(tmp_path, base_url="https://localhost/fhir", behind_proxy=True)
    seen = made.http.get(VIEW.format(made.patient()), headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in seen.headers["Set-Cookie"]
    made.http.set_cookie("fhirtwin-sandbox", hidden(seen, "token"), path="/sandbox")
    assert not refused(made, {"Origin": "https://localhost", "Sec-Fetch-Site": "same-origin"})
    assert refused(made, {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "same-origin"})
    made.parts.store.close()


def test_nothing_else_gets_the_policy_of_a_page(page: Sandbox) -> None:
    assert page.http.get("/fhir/metadata").headers["Content-Security-Policy"].endswith("sandbox")
    with page.http.get("/sandbox/static/sandbox.css") as styles:
        assert styles.status_code == 200 and styles.mimetype == "text/css"
