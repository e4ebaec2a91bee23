"""X's login pages for a browser: small, with the names and places that X's own have, over the same login flow."""

from __future__ import annotations

from typing import Final

from xget_sandbox.http import Response, text_response

SCRIPT: Final = """
const root = document.getElementById('react-root');
const api = '/i/api/1.1/onboarding/task.json';
let flow = START, guest = '';
const h = (html) => { root.innerHTML = '<div role="dialog" data-testid="sheetDialog">' + html + '</div>'; };
const by = (id) => root.querySelector('[data-testid="' + id + '"]');
const toast = (text) => {
  document.querySelectorAll('[data-testid="toast"]').forEach((old) => old.remove());
  const made = document.createElement('div');
  made.dataset.testid = 'toast'; made.setAttribute('role', 'alert'); made.textContent = text;
  document.body.append(made);
};
async function send(query, body) {
  const headers = {'content-type': 'application/json', authorization: 'Bearer AAAA', 'x-guest-token': guest};
  const answer = await fetch(api + query, {method: 'POST', headers, body: JSON.stringify(body)});
  const told = await answer.json();
  if (told.errors) { toast(told.errors[0].message); if (told.errors[0].code === 64) suspended(); return; }
  flow = told; show();
}
const answer = (input) => send('', {flow_token: flow.flow_token, subtask_inputs: [
  {subtask_id: flow.subtasks[0].subtask_id, ...input}]});
const suspended = () => h('<h1>Your account is suspended</h1>');
function field(title, note, input, button, label, give) {
  h('<h1 id="modal-header">' + title + '</h1><p>' + note + '</p><label>' + input + '</label>' +
    '<button type="button" data-testid="' + button + '"><span>' + label + '</span></button>');
  const box = root.querySelector('input'), go = by(button), next = () => { go.disabled = true; give(box.value); };
  go.onclick = next;
  box.onkeydown = (event) => { if (event.key === 'Enter') next(); };
  box.focus();
}
const TEXT = '<input name="text" type="text" data-testid="ocfEnterTextTextInput" autocomplete="on">';
const asked = (link) => (text) => answer({enter_text: {text, link}});
const steps = {
  LoginJsInstrumentationSubtask: () => answer({js_instrumentation: {response: '{}', link: 'next_link'}}),
  LoginEnterUserIdentifierSSO: () => {
    field('Sign in to X', '', '<input name="text" type="text" autocomplete="username" autocapitalize="sentences">',
      'ocfLoginNextButton', 'Next', (result) => answer({settings_list: {link: 'next_link', setting_responses: [
        {key: 'user_identifier', response_data: {text_data: {result}}}]}}));
    const google = document.createElement('button');
    google.dataset.testid = 'google_sign_in_container'; google.textContent = 'Sign in with Google';
    google.onclick = () => { location.href = 'https://accounts.google.com/v3/signin/identifier?continue=x'; };
    root.append(google);
  },
  LoginEnterPassword: () => field('Enter your password', '',
    '<input name="password" type="password" autocomplete="current-password">', 'LoginForm_Login_Button', 'Log in',
    (password) => answer({enter_password: {password, link: 'next_link'}})),
  AccountDuplicationCheck: () => answer({check_logged_in_account: {link: 'AccountDuplicationCheck_false'}}),
  ArkoseLogin: () => {
    h('<h1>Authenticate your account</h1>' +
      '<iframe id="arkoseFrame" src="https://iframe.arkoselabs.com/sandbox"></iframe>' +
      '<button type="button" id="human">I am a person</button>');
    root.querySelector('#human').onclick = () => answer({web_modal:
      {completion_deeplink: 'twitter://onboarding/web_modal/next_link?human'}});
  },
  DenyLoginSubtask: ({cta}) =>
    h('<h1>' + cta.primary_text.text + '</h1><p>' + cta.secondary_text.text + '</p>'),
  LoginSuccessSubtask: () => { location.replace('/home'); },
};
function show() {
  const task = flow.subtasks[0];
  if (!task) return;
  if (steps[task.subtask_id]) return steps[task.subtask_id](task);
  if (!task.enter_text) return h('<h1>Something new</h1><p>Please update your app.</p>');
  const header = task.enter_text.header;
  field(header.primary_text.text, (header.secondary_text || {text: ''}).text + ' ' + task.enter_text.hint_text, TEXT,
    'ocfEnterTextNextButton', 'Next', asked('next_link'));
}
(async () => {
  const headers = {authorization: 'Bearer AAAA'};
  guest = (await (await fetch('/i/api/1.1/guest/activate.json', {method: 'POST', headers})).json()).guest_token;
  if (flow) show(); else send('?flow_name=login', {});
})();
"""
PAGE: Final = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Log in to X / X</title></head>'
    '<body><div id="react-root"></div><script>%s</script></body></html>'
)
LOCKED: Final = (
    '<!DOCTYPE html><html lang="en"><head><title>X</title></head><body><div class="PageHeader">'
    "Your account has been locked.</div><p>Verify you are human</p>"
    '<form action="/account/access" method="post"><input type="submit" value="Start" id="human"></form></body></html>'
)
CAPTCHA: Final = "<!DOCTYPE html><html><body><p>Verification: please solve this puzzle.</p></body></html>"


def login_page(flow: bytes = b"null", cookies: tuple[str, ...] = ()) -> Response:
    """The login's page; `flow` is the answer of the flow's last step, as JSON, when it does not begin here."""
    script = SCRIPT.replace("START", flow.decode().replace("<", "\\u003c"), 1)
    made = text_response(PAGE % script)
    return Response(200, made.body, made.content_type, cookies=cookies)


def redirect(url: str, cookies: tuple[str, ...] = ()) -> Response:
    """Go elsewhere with GET."""
    return Response(303, b"", "text/html; charset=utf-8", {"location": url}, cookies=cookies)
