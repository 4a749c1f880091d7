// What people do at the door, for stories that are about something else.

import { awake } from './harness.mjs';
import { OWNER } from './server.mjs';

/** Creates the owner account with the printed link, as the first person does; returns the page with the dashboard. */
export async function createOwner(visitor, server) {
  const page = await visitor.open(server.setupPath());
  await page.getByLabel('Workspace').fill(OWNER.workspace);
  await page.getByLabel('Your name').fill(OWNER.name);
  await page.getByLabel('Email').fill(OWNER.email);
  await page.getByLabel('Password').fill(OWNER.password);
  await page.getByRole('button', { name: 'Create the owner account' }).click();
  await page.waitForURL((url) => url.pathname === '/');
  await awake(page);
  return page;
}

/** Fills in the login page that is open and waits until it is left. */
export async function logIn(page, { email, password } = OWNER) {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL((url) => url.pathname !== '/login');
  await awake(page);
}

/** Opens a path as somebody who has to log in first; returns the page. */
export async function arrive(visitor, path = '/', who = OWNER) {
  const page = await visitor.open(path);
  await logIn(page, who);
  return page;
}

/** Invites somebody and takes the invitation in their browser; returns their page with the dashboard. */
export async function join(visitor, server, { name, email, password }, role = 'operator') {
  const { link } = await server.api('POST', '/api/v1/users', { token: await server.token(), body: { email, role } });
  const { pathname, search } = new URL(link);
  const page = await visitor.open(pathname + search);
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Create my account' }).click();
  await page.waitForURL((url) => url.pathname === '/');
  await awake(page);
  return page;
}
