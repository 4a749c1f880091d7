(() => {
  const typed = new Map();
  let pressed;
  const asleep = new AbortController();
  const hear = (type, heard) => addEventListener(type, heard, { capture: true, signal: asleep.signal });
  const hold = (event, element, again) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    pressed?.element.removeAttribute('data-held');
    element.setAttribute('data-held', '');
    pressed = { element, again };
  };

  hear('input', ({ target }) => typed.set(target, { value: target.value, checked: target.checked }));
  hear('click', (event) => {
    const element = event.target.closest('button, [role], [tabindex]');
    if (!element || event.target.closest('a[href], input, select, textarea, label, summary')) return;
    // A form with an address is sent by the browser itself.
    if (element.type === 'submit' && element.form?.hasAttribute('action')) return;
    hold(event, element, () => event.target.click());
  });
  hear('submit', (event) => {
    const { target: form, submitter } = event;
    if (!form.hasAttribute('action')) hold(event, submitter ?? form, () => form.requestSubmit(submitter));
  });

  addEventListener('weft:awake', () => {
    asleep.abort();
    document.documentElement.setAttribute('data-awake', '');
    for (const [field, { value, checked }] of typed) {
      if (!field.isConnected) continue;
      if (field.type === 'checkbox' || field.type === 'radio') field.checked = checked;
      else if (field.type !== 'file') field.value = value;
      for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));
    }
    pressed?.element.removeAttribute('data-held');
    if (pressed?.element.isConnected) pressed.again();
  }, { once: true });
})();
