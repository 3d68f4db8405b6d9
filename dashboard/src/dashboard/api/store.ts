// A value that components follow.
import { useSyncExternalStore } from "react";

export class Store<Value> {
  private readonly followers = new Set<() => void>();

  constructor(private value: Value) {}

  get = (): Value => this.value;

  set(value: Value): void {
    this.value = value;
    for (const follower of [...this.followers]) follower();
  }

  follow = (follower: () => void): (() => void) => {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  };
}

export function useStore<Value>(store: Store<Value>): Value {
  return useSyncExternalStore(store.follow, store.get);
}
