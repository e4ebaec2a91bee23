"use strict";
(async () => {
  const url = document.documentElement.dataset.openapi;
  const main = document.getElementById("operations");
  const token = document.getElementById("token");
  const VERBS = ["get", "post", "put", "patch", "delete"];

  const make = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "class") node.className = value;
      else if (name in node) node[name] = value;
      else node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };

  let api;
  try {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error("status " + answer.status);
    api = await answer.json();
  } catch (error) {
    main.replaceChildren(make("p", {}, "The OpenAPI document could not be read: " + error.message));
    return;
  }

  const resolve = (schema) => {
    const seen = new Set();
    while (schema && schema.$ref && !seen.has(schema.$ref)) {
      seen.add(schema.$ref);
      schema = schema.$ref.slice(2).split("/").reduce((at, key) => (at || {})[key.replace(/~1/g, "/").replace(/~0/g, "~")], api);
    }
    return schema || {};
  };
  const nameOf = (schema) => (schema && schema.$ref ? schema.$ref.split("/").pop() : "");

  const typeOf = (raw) => {
    const schema = resolve(raw);
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    const several = schema.anyOf || schema.oneOf || schema.allOf;
    if (several) return several.map(typeOf).join(schema.allOf ? " & " : " | ");
    if (schema.type === "array") return "array of " + typeOf(schema.items || {});
    if (nameOf(raw)) return nameOf(raw);
    return [].concat(schema.type || "any").join(" | ") + (schema.format ? " (" + schema.format + ")" : "");
  };

  const LIMITS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "default"];
  const limitsOf = (raw) => {
    const schema = resolve(raw);
    return LIMITS.filter((key) => schema[key] !== undefined && schema[key] !== null).map((key) => key + " " + JSON.stringify(schema[key])).join(", ");
  };

  const tree = (raw, depth) => {
    const schema = resolve(raw);
    const inner = schema.type === "array" ? schema.items || {} : raw;
    const target = resolve(inner);
    const parts = target.anyOf || target.oneOf || target.allOf;
    if (depth > 5) return null;
    if (parts) {
      const nested = parts.map((part) => tree(part, depth + 1)).filter(Boolean);
      return nested.length ? make("div", {}, ...nested) : null;
    }
    if (!target.properties) return null;
    return make("ul", {}, ...Object.entries(target.properties).map(([name, property]) => {
      const needed = (target.required || []).includes(name);
      const limits = limitsOf(property);
      return make("li", {}, make("code", {}, name), needed ? make("span", { class: "need", title: "required" }, " * ") : " ",
        make("span", { class: "summary" }, typeOf(property) + (limits ? " · " + limits : "") + (resolve(property).description ? " · " + resolve(property).description : "")),
        tree(property, depth + 1));
    }));
  };

  const sample = (raw, depth) => {
    const schema = resolve(raw);
    if (schema.example !== undefined) return schema.example;
    if (schema.examples && schema.examples.length) return schema.examples[0];
    if (schema.default !== undefined) return schema.default;
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return schema.enum[0];
    const several = schema.anyOf || schema.oneOf || schema.allOf;
    if (several) return depth > 5 ? null : sample(several[0], depth + 1);
    if (schema.type === "array") return depth > 5 ? [] : [sample(schema.items || {}, depth + 1)];
    if (schema.properties && depth <= 5) {
      const needed = schema.required && schema.required.length ? schema.required : Object.keys(schema.properties);
      return Object.fromEntries(needed.map((name) => [name, sample(schema.properties[name] || {}, depth + 1)]));
    }
    return { string: "", integer: schema.minimum || 0, number: schema.minimum || 0, boolean: false, object: {} }[schema.type] ?? null;
  };

  const parametersTable = (parameters, inputs) => make("table", {},
    make("tbody", {}, ...parameters.map((raw) => {
      const parameter = resolve(raw);
      const limits = limitsOf(parameter.schema || {});
      const input = make("input", { "aria-label": parameter.name, autocomplete: "off" });
      inputs.push([parameter, input]);
      return make("tr", {},
        make("td", {}, make("code", {}, parameter.name), parameter.required ? make("span", { class: "need", title: "required" }, " *") : ""),
        make("td", { class: "summary" }, parameter.in + ", " + typeOf(parameter.schema || {}) + (limits ? " · " + limits : "") + (parameter.description ? " · " + parameter.description : "")),
        make("td", {}, input));
    })));

  const send = async (verb, path, inputs, body, media, output) => {
    const query = new URLSearchParams();
    const headers = {};
    let target = path;
    for (const [parameter, input] of inputs) {
      if (parameter.in === "path") target = target.replace("{" + parameter.name + "}", encodeURIComponent(input.value));
      else if (input.value === "") continue;
      else if (parameter.in === "query") query.append(parameter.name, input.value);
      else if (parameter.in === "header") headers[parameter.name] = input.value;
    }
    if (token.value.trim()) headers.Authorization = "Bearer " + token.value.trim();
    if (body) headers["Content-Type"] = media;
    output.hidden = false;
    output.textContent = "…";
    const stop = new AbortController();
    try {
      const answer = await fetch(target + (query.size ? "?" + query : ""), { method: verb.toUpperCase(), headers, body: body ? body.value : undefined, signal: stop.signal });
      const type = answer.headers.get("content-type") || "";
      let text = "";
      if (type.startsWith("text/event-stream")) {
        setTimeout(() => stop.abort(), 15000);
        output.textContent = answer.status + " (events of 15 seconds)\n\n";
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) output.append(part.value);
        return;
      }
      text = await answer.text();
      if (type.includes("json")) { try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { /* shown as it came */ } }
      output.textContent = answer.status + " " + answer.statusText + "\n" + type + "\n\n" + text.slice(0, 200000);
    } catch (error) {
      if (error.name !== "AbortError") output.textContent = "No answer: " + error.message;
    }
  };

  const inside = (verb, path, operation, shared) => {
    const inputs = [];
    const parameters = [...(shared || []), ...(operation.parameters || [])];
    const content = resolve(operation.requestBody).content || {};
    const media = Object.keys(content)[0];
    const schema = media ? content[media].schema || {} : null;
    const body = media ? make("textarea", { "aria-label": "Body", spellcheck: false }) : null;
    if (body) body.value = media.includes("json") ? JSON.stringify(sample(schema, 0), null, 2) : "";
    const output = make("pre", { hidden: true, tabIndex: 0 });
    const button = make("button", { type: "button" }, "Send");
    button.addEventListener("click", () => send(verb, path, inputs, body, media, output));
    const answers = Object.entries(operation.responses || {}).map(([status, raw]) => {
      const answer = resolve(raw);
      const kind = Object.keys(answer.content || {})[0];
      const shape = kind ? answer.content[kind].schema : null;
      const plain = kind && !kind.includes("problem") && shape;
      return make("tr", {}, make("td", {}, make("code", {}, status)), make("td", {}, answer.description || "",
        plain ? make("div", { class: "schema" }, make("span", { class: "summary" }, kind + " · " + typeOf(shape)), tree(shape, 0)) : ""));
    });
    return make("div", { class: "inside" },
      operation.description ? make("p", {}, operation.description) : null,
      parameters.length ? make("h4", {}, "Parameters") : null,
      parameters.length ? parametersTable(parameters, inputs) : null,
      body ? make("h4", {}, "Body, " + media) : null,
      body ? make("div", { class: "schema" }, tree(schema, 0)) : null,
      body, make("p", {}, button), output,
      make("h4", {}, "Answers"), make("table", {}, make("tbody", {}, ...answers)));
  };

  const row = (verb, path, operation, shared) => {
    const details = make("details", { class: "operation", id: operation.operationId || verb + path },
      make("summary", {}, make("span", { class: "verb " + verb }, verb.toUpperCase()), make("span", { class: "path" }, path),
        make("span", { class: "summary" }, operation.summary || "")));
    details.dataset.text = (verb + " " + path + " " + (operation.summary || "")).toLowerCase();
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1) details.append(inside(verb, path, operation, shared));
    });
    return details;
  };

  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths || {})) {
    for (const verb of VERBS.filter((name) => item[name])) {
      const tag = (item[verb].tags || ["other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(row(verb, path, item[verb], item.parameters));
    }
  }
  const about = new Map((api.tags || []).map((tag) => [tag.name, tag.description]));
  document.getElementById("title").textContent = api.info.title + " " + api.info.version;
  document.title = api.info.title;
  document.getElementById("about").textContent = api.info.description || "";
  main.replaceChildren(...[...groups].map(([tag, rows]) => make("section", {}, make("h2", {}, tag), about.get(tag) ? make("p", {}, about.get(tag)) : null, ...rows)));

  document.getElementById("find").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const section of main.children) {
      let shown = 0;
      for (const one of section.querySelectorAll("details.operation")) {
        one.hidden = wanted !== "" && !one.dataset.text.includes(wanted);
        shown += one.hidden ? 0 : 1;
      }
      section.hidden = shown === 0;
    }
  });
  const linked = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (linked) linked.open = true;
})();
