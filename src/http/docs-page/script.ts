/** Puts a button to copy it beside each block of code. */
export const DOCS_SCRIPT = `for (const figure of document.querySelectorAll('figure.code')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Copy';
  button.setAttribute('aria-label', 'Copy the ' + figure.querySelector('figcaption').textContent.toLowerCase());
  button.addEventListener('click', async () => {
    const code = figure.querySelector('code');
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = 'Copied';
    } catch {
      // Without HTTPS a browser lets no page write: selected, it is one key away.
      getSelection().selectAllChildren(code);
      button.textContent = 'Selected';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
  figure.append(button);
}
`;
