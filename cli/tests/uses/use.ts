// What `palitra bindgen` wrote, used as a program would: each line must have the type that it is given.
import { Client, OrderError, type Order, type Receipt, type Runner, type Shipping } from "./palitra_test_jobs";

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
  // @ts-expect-error: an order has a customer
  await client.typedPrice({ id: 7 });
  // @ts-expect-error: no such priority
  await client.typedPrice({ ...order, priority: "soon" });
  return weight + rest.bytes + bytes.length;
}
