/** A contact flow, block by block; each block has a name that stands for it. */
export interface Block {
  readonly Identifier: string;
  readonly Type: string;
  readonly Parameters: Record<string, unknown>;
  readonly Transitions: Record<string, unknown>;
}

export const flow = (...blocks: Block[]): string =>
  JSON.stringify({ Version: "2019-10-30", StartAction: blocks[0]!.Identifier, Metadata: {}, Actions: blocks });

const failed = (next: string) => [{ ErrorType: "NoMatchingError", NextAction: next }];

export const say = (id: string, text: string, next: string): Block => ({
  Identifier: id,
  Type: "MessageParticipant",
  Parameters: { Text: text },
  Transitions: { NextAction: next, Errors: failed(next) },
});

export const ask = (id: string, text: string, keys: Record<string, string>, otherwise: string): Block => ({
  Identifier: id,
  Type: "GetParticipantInput",
  Parameters: { Text: text, StoreInput: "False", InputTimeLimitSeconds: "5" },
  Transitions: {
    NextAction: otherwise,
    Conditions: Object.entries(keys).map(([key, next]) => ({
      NextAction: next,
      Condition: { Operator: "Equals", Operands: [key] },
    })),
    Errors: ["InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError"].map((ErrorType) => ({
      ErrorType,
      NextAction: otherwise,
    })),
  },
});

export const invoke = (id: string, arn: string, next: string, onError: string): Block => ({
  Identifier: id,
  Type: "InvokeLambdaFunction",
  Parameters: {
    LambdaFunctionARN: arn,
    InvocationTimeLimitSeconds: "3",
    ResponseValidation: { ResponseType: "STRING_MAP" },
  },
  Transitions: { NextAction: next, Errors: failed(onError) },
});

export const hangUp = (id: string): Block => ({
  Identifier: id,
  Type: "DisconnectParticipant",
  Parameters: {},
  Transitions: {},
});
