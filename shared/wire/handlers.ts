/** A union of messages by their type. */
type ByType<Message extends { readonly type: string }> = { [One in Message as One['type']]: One };

/** The handler of each type of message. A message added to the protocol has none yet, which is a type error. */
export type Handlers<Message extends { readonly type: string }> = {
  readonly [Type in keyof ByType<Message>]: (message: ByType<Message>[Type]) => void;
};

/** Passes a message to the handler of its type. */
export function dispatch<
  Message extends { readonly type: string },
  Type extends keyof ByType<Message> = keyof ByType<Message>,
>(handlers: Handlers<Message>, type: Type, message: ByType<Message>[Type]): void {
  handlers[type](message);
}
