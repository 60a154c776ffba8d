/** A plugin whose engine was killed. */
import { endWithParent } from "../../../../providers/core/orphan";

test("ends when its parent is another, and not before the call under way is over", () => {
  jest.useFakeTimers();
  const parent = jest.replaceProperty(process, "ppid", 4711);
  let busy = true;
  const end = jest.fn();
  const timer = endWithParent(() => busy, end);
  jest.advanceTimersByTime(20_000);
  expect(end).not.toHaveBeenCalled();
  parent.replaceValue(1);
  jest.advanceTimersByTime(20_000);
  expect(end).not.toHaveBeenCalled();
  busy = false;
  jest.advanceTimersByTime(10_000);
  expect(end).toHaveBeenCalled();
  clearInterval(timer);
  jest.useRealTimers();
});
