// Streams answers, sends ratings, opens what is cited and looks again at freshness. Every page works without it.

const ask = document.querySelector("#ask");
const turns = document.querySelector("#turns");

// Server-sent events of a POST, which EventSource cannot do.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    for (let end; (end = rest.indexOf("\n\n")) >= 0; rest = rest.slice(end + 2)) {
      const lines = rest.slice(0, end).split("\n");
      const of = (name) => lines.find((line) => line.startsWith(name))?.slice(name.length);
      yield { name: of("event: "), data: JSON.parse(of("data: ")) };
    }
  }
}

function post(form, action) {
  return fetch(action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
}

async function trouble(response) {
  const said = await response.json().catch(() => ({}));
  return said.error ?? `The server answered ${response.status}.`;
}

function element(name, classes, text = "") {
  const made = document.createElement(name);
  made.className = classes;
  made.textContent = text;
  return made;
}

function waiting(question) {
  const turn = element("article", "turn");
  for (const [kind, text] of [["question", question], ["answer", ""]]) {
    const said = element("div", `said ${kind}`);
    said.append(element("p", kind === "answer" ? "text waiting" : "text", text));
    turn.append(said);
  }
  turns.querySelector(".empty")?.remove();
  turns.append(turn);
  return turn;
}

async function answer(event) {
  event.preventDefault();
  const problem = ask.querySelector("#trouble");
  const button = ask.querySelector("button");
  const turn = waiting(ask.elements.question.value);
  problem.hidden = true;
  button.disabled = true;
  turn.scrollIntoView({ block: "start" });
  try {
    const response = await post(ask, "/assistant/answers");
    if (!response.ok) throw new Error(await trouble(response));
    let ended = false;
    for await (const { name, data } of events(response)) {
      if (name === "piece") turn.querySelector(".answer .text").append(data.text);
      if (name === "turn") {
        ended = true;
        const template = document.createElement("template");
        template.innerHTML = data.html; // a template of the server, which escapes every text in it
        turn.replaceWith(template.content);
        ask.elements.conversation.value = data.conversation;
        history.replaceState(null, "", `/assistant?conversation=${encodeURIComponent(data.conversation)}`);
        ask.elements.question.value = "";
      }
    }
    if (!ended) throw new Error("The answer broke off.");
  } catch (error) {
    turn.remove();
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    button.disabled = false;
    ask.elements.question.focus({ preventScroll: true });
  }
}

const RATED = ["form_token", "conversation", "turn"];

// One rating at a time: what was typed and not sent yet stays.
async function rate(form, names, pressed) {
  const told = form.querySelector(".done");
  const fields = [...new FormData(form, pressed)].filter(([name]) => [...RATED, ...names].includes(name));
  const sent = { method: "POST", body: new URLSearchParams(fields) };
  const response = await fetch(form.getAttribute("action"), sent).catch(() => null);
  told.textContent = response?.ok ? "Thank you." : response ? await trouble(response) : "The server does not answer.";
  if (!response?.ok) return;
  if (names.includes("thumbs"))
    for (const one of form.querySelectorAll("[name=thumbs]")) one.setAttribute("aria-pressed", one === pressed);
  if (names.includes("comment")) for (const one of form.querySelectorAll("textarea")) one.value = "";
}

ask?.addEventListener("submit", answer);
ask?.elements.question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!ask.querySelector("button").disabled) ask.requestSubmit();
  }
});
turns?.addEventListener("submit", (event) => {
  event.preventDefault();
  const thumbs = event.submitter?.name === "thumbs";
  rate(event.target, thumbs ? ["thumbs"] : ["comment", "correction"], thumbs ? event.submitter : undefined);
});
turns?.addEventListener("change", (event) => {
  if (event.target.name === "stars") rate(event.target.form, ["stars"]);
});
turns?.addEventListener("click", (event) => {
  if (!event.target.matches(".cite")) return;
  const item = document.getElementById(event.target.hash.slice(1));
  if (!item) return;
  event.preventDefault();
  item.open = true;
  item.classList.add("lit");
  item.scrollIntoView({ block: "nearest" });
  item.querySelector("summary").focus({ preventScroll: true });
});

const fresh = document.querySelector("[data-refresh]");
if (fresh) {
  setInterval(async () => {
    if (document.hidden || fresh.contains(document.activeElement)) return;
    const response = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!response?.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const found = page.querySelector("[data-refresh]");
    if (found) fresh.replaceChildren(...found.childNodes);
  }, 1000 * fresh.dataset.refresh);
}
