// Who may come in and what they may do: invitations, roles, what is not offered and what is refused, and leaving.

import assert from 'node:assert/strict';
import { expectAccessible, shot, story } from '../harness.mjs';
import { arrive, createOwner, logIn } from '../people.mjs';
import { OWNER } from '../server.mjs';

const GRACE = { name: 'Grace Hopper', email: 'grace@example.org', password: 'a compiler of sentences' };

/** Makes an invitation on the users page and returns the path of its link. */
async function invite(page, { email }, role) {
  await page.getByRole('button', { name: 'Invite' }).click();
  const dialog = page.getByRole('dialog', { name: 'Invite a person' });
  await dialog.getByLabel('Email').fill('not an address');
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  await dialog.locator('.field', { hasText: 'Email' }).locator('[aria-invalid="true"]').waitFor();
  await dialog.getByLabel('Email').fill(email);
  await dialog.getByLabel('Role').selectOption({ label: role });
  await expectAccessible(page, { within: 'dialog[open]' });
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  const link = new URL(await dialog.locator('.secret code').innerText());
  await dialog.getByRole('button', { name: 'Done' }).click();
  return link.pathname + link.search;
}

/** Takes an invitation in a browser of its own; returns the page with the dashboard. */
async function join(visitor, link, { name, password }) {
  const page = await visitor.open(link);
  await expectAccessible(page);
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Create my account' }).click();
  await page.waitForURL((url) => url.pathname === '/');
  return page;
}

story('an invited viewer looks and changes nothing, and gets more when the owner gives more', async ({ server, visitor }) => {
  const ada = await visitor();
  ada.allow(/\b422\b/); // the address that is none
  const owners = await createOwner(ada, server);
  await owners.goto('/users');
  await expectAccessible(owners);
  const link = await invite(owners, GRACE, 'Viewer');
  await owners.getByRole('tab', { name: 'Invitations' }).click();
  await owners.getByRole('cell', { name: GRACE.email }).waitFor();
  await owners.getByRole('tab', { name: 'Roles' }).click();
  await expectAccessible(owners);
  await owners.getByRole('tab', { name: 'Master key' }).click();
  await owners.getByRole('row', { name: /^[0-9a-f]{16} seals has it/ }).waitFor();
  await owners.getByText('Everything that can be opened is under the key that seals.').waitFor();
  await expectAccessible(owners);
  await owners.getByRole('tab', { name: 'People' }).click();

  const grace = await visitor();
  const page = await join(grace, link, GRACE);

  // What a viewer may not do is not offered …
  await page.goto('/workflows');
  await page.getByRole('heading', { name: 'Repository health check' }).waitFor();
  for (const name of ['New workflow', 'Import', 'Use this template']) {
    assert.equal(await page.getByRole('button', { name }).count(), 0, name);
  }
  await page.goto('/memory');
  await page.getByRole('heading', { name: 'Memory', exact: true }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'New entry' }).count(), 0);
  await page.goto('/users');
  await page.getByRole('cell', { name: /Grace Hopper/ }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Invite' }).count(), 0);
  assert.equal(await page.getByRole('tab', { name: 'Master key' }).count(), 0);
  assert.equal(await page.getByRole('combobox').count(), 0);
  await expectAccessible(page);

  // … and refused to who asks anyway, in every way there is to ask.
  const token = await server.token(GRACE);
  const body = { weft: 1, name: 'Mine', steps: [] };
  await server.api('POST', '/api/v1/workflows', { token, body, status: 403 });
  grace.allow(/\b403\b/);
  const status = await page.evaluate(async () => {
    const body = JSON.stringify({ definition: { weft: 1, name: 'Mine', steps: [] } });
    return (await fetch('/rpc/workflows/create', { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status;
  });
  assert.ok([403, 404, 422].includes(status), `the server function answered ${status}`);

  // A link works once.
  const mallory = await visitor();
  const late = await mallory.open(link);
  await late.getByRole('heading', { name: "This invitation can't be used" }).waitFor();

  // More is given: the next page that Grace opens has the buttons.
  await owners.reload();
  await owners.getByLabel('Role of Grace Hopper').selectOption({ label: 'Builder' });
  await owners.getByText('Grace Hopper is Builder now').waitFor();
  await page.goto('/workflows');
  await page.getByRole('button', { name: 'New workflow' }).waitFor();

  // The last owner stays one.
  ada.allow(/\b409\b/);
  await owners.getByLabel(`Role of ${OWNER.name}`).selectOption({ label: 'Admin' });
  await owners.getByText(/last active owner/).waitFor();
  assert.equal(await owners.getByLabel(`Role of ${OWNER.name}`).inputValue(), 'owner');

  // Disabled: out at once, and not in again.
  await owners.getByRole('row', { name: /Grace Hopper/ }).getByRole('button', { name: 'Disable' }).click();
  await owners.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
  await owners.getByText('Grace Hopper is disabled').waitFor();
  await shot(owners, 'users');
  grace.allow(/\b401\b|WebSocket/);
  await page.goto('/workflows');
  await page.waitForURL((url) => url.pathname === '/login');
  await page.getByLabel('Email').fill(GRACE.email);
  await page.getByLabel('Password').fill(GRACE.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/login');
});

story('a wrong password is refused, sign-ins can be ended, and logging out leaves nothing open', async ({ server, visitor }) => {
  await server.setUp();
  const ada = await visitor();
  ada.allow(/\b401\b/);
  const page = await ada.open('/runs?status=failed');
  await page.waitForURL((url) => url.pathname === '/login');
  await expectAccessible(page);
  await page.getByLabel('Email').fill(OWNER.email);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
  assert.equal(await page.getByLabel('Email').inputValue(), OWNER.email, 'what was typed stays');
  await logIn(page);
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/runs?status=failed');

  // Another sign-in of the same person is seen and ended.
  const elsewhere = await visitor({ size: 'phone' });
  elsewhere.allow(/\b401\b|WebSocket/);
  const phone = await arrive(elsewhere, '/account');
  await phone.getByText('This one').waitFor();
  await expectAccessible(phone);
  await page.goto('/account');
  await expectAccessible(page);
  assert.equal(await page.locator('.item-row').count(), 2);
  await page.getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByText('The sign-in is revoked').waitFor();
  await phone.goto('/runs');
  await phone.waitForURL((url) => url.pathname === '/login');

  // Out: the next page asks again, also through the browser's back button.
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL((url) => url.pathname === '/login');
  await page.goBack();
  await page.waitForURL((url) => url.pathname === '/login');
});
