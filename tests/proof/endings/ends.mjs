// See tests/proof/endings.py.
const { run, submit } = await import(new URL("../../../target/node/conformance/lib/index.js", import.meta.url));

for (let i = 0; i < 8; i++) submit("palitra.sleep", { seconds: 100 });
if (String(await run("palitra.echo", "hello")) !== "hello") throw new Error("no echo");
process.exit(7);
