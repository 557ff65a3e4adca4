// What `palitra bindgen` wrote, used as a program would: each line must have the type that it is given.
import { Client, OrderError } from "./palitra_test_jobs";
import type { Client_, Order, Receipt, Record_, Runner, Runner_, Shipping } from "./palitra_test_jobs";

declare const runner: Runner;

const order: Order = {
  id: 7,
  customer: { name: "Ada" },
  lines: [{ article: "pen", count: 2, price: 150 }],
  priority: "same_day",
  shipping: { by: "parcel", weight: 0.2 },
};

export async function use(): Promise<number> {
  const client = new Client(runner);
  const receipt: Receipt = await client.typedPrice(order);
  const shipping: Shipping = receipt.shipping;
  const weight: number = shipping.by === "parcel" ? shipping.weight : OrderError.NoLines;
  for await (const tick of client.typedCount({ to: 3 })) {
    const last: boolean = tick.is_last;
    if (last) return tick.n;
  }
  const [rest, bytes]: [{ bytes: number }, Uint8Array] = await client.typedCut({ at: 2 }, new Uint8Array());
  // Types whose names the file has for itself.
  const member: Client_ = { id: 1 };
  const runners: Record<string, Runner_> = { a: { id: 2 } };
  const record: Record_ = await client.typedRecord({
    compared: ">", unit: "MB", os: "Linux", linux: true, turn: { to: "<", by: 3 }, step: { "-1": { by: 4 } },
    client: member, runners, literal: { id: 5 },
  });
  const id: number | undefined = record.runners["a"]?.id;
  if (id !== undefined) return id;
  // @ts-expect-error: an order has a customer
  await client.typedPrice({ id: 7 });
  // @ts-expect-error: no such priority
  await client.typedPrice({ ...order, priority: "soon" });
  return weight + rest.bytes + bytes.length;
}
