// Passkeys: the browser's own JSON forms of WebAuthn. A form says by data-passkey what it does; its button starts it.
const FORMS = document.querySelectorAll("form[data-passkey]");

function optionsOnPage() {
  return JSON.parse(document.getElementById("passkey_options").textContent);
}

async function optionsFromServer(form) {
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`no options: ${answer.status}`);
  return answer.json();
}

async function credentialFor(form) {
  if (form.dataset.passkey === "add") {
    const wanted = optionsOnPage().creation_options.publicKey;
    const isAlone = form.querySelector("[name=passwordless]").checked;
    wanted.authenticatorSelection = {
      ...wanted.authenticatorSelection,
      residentKey: isAlone ? "required" : "discouraged",
      requireResidentKey: isAlone,
      ...(isAlone ? { userVerification: "required" } : {}),
    };
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(wanted) });
  }
  const given = form.dataset.passkey === "login" ? await optionsFromServer(form) : optionsOnPage();
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(given.request_options.publicKey);
  return navigator.credentials.get({ publicKey });
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  for (const form of FORMS) {
    form.hidden = false;
    form.querySelector("button[type=button]").addEventListener("click", async () => {
      const wrong = form.querySelector(".wrong");
      wrong.hidden = true;
      try {
        const credential = await credentialFor(form);
        form.querySelector("[name=credential]").value = JSON.stringify(credential.toJSON());
        form.submit();
      } catch {
        wrong.hidden = false;
      }
    });
  }
}
