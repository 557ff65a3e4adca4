// Abort signals: one listener for each signal, however many jobs obey it. Node warns of a leak where there are more than
// ten.

const followers = new WeakMap();

/** Has `onAbort(reason)` called once the signal is aborted. Returns a function that ends this. */
export function obey(signal, onAbort) {
  const called = followers.get(signal) ?? listen(signal);
  called.add(onAbort);
  return () => {
    called.delete(onAbort);
    if (called.size === 0) called.forget();
  };
}

function listen(signal) {
  const called = new Set();
  const tell = () => called.forEach((onAbort) => onAbort(signal.reason));
  called.forget = () => {
    signal.removeEventListener("abort", tell);
    followers.delete(signal);
  };
  signal.addEventListener("abort", tell, { once: true });
  followers.set(signal, called);
  return called;
}
