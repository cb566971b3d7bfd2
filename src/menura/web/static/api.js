// What the server is asked, and how its refusals become one line.

const answer = async (response) => {
  if (response.ok) return response;
  let said = "";
  try { said = (await response.json()).error; } catch { /* no JSON: a proxy, or nothing at all */ }
  throw Object.assign(new Error(said || `The server answered ${response.status}.`), { status: response.status });
};
const ask = async (path, options = {}) => {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer; is menura serve still running?");
  }
  return answer(response);
};

export const getJson = async (path, options) => (await ask(path, options)).json();
export const getBytes = async (path, options) => (await ask(path, options)).arrayBuffer();
export const post = async (path, body, options = {}) => {
  const sent = body instanceof FormData ? { body } : { body: JSON.stringify(body ?? {}), headers: { "Content-Type": "application/json" } };
  return (await ask(path, { method: "POST", ...sent, ...options })).json();
};
export const remove = (path) => ask(path, { method: "DELETE" });

// The query that says how an answer is turned and played.
export const turnsQuery = ({ macros = {}, controls = {}, note = {} } = {}) => {
  const query = new URLSearchParams();
  for (const [name, amount] of Object.entries(macros)) if (amount) query.append("macro", `${name}:${Number(amount).toFixed(3)}`);
  for (const [name, place] of Object.entries(controls)) query.append("set", `${name}:${Number(place).toFixed(6)}`);
  for (const [name, value] of Object.entries(note)) query.append(name, String(value));
  const text = query.toString();
  return text && `?${text}`;
};
export const addressOf = (job, shelf, number, what, turns) => `/api/jobs/${job}/${shelf}/${number}/${what}${turnsQuery(turns)}`;
