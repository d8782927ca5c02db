/**
 * A policy circuit written by hand, so that the truth about every head is known (methods.md §1.7, tier A). One feature per direction of the residual,
 * no norms, no positions, nothing trained:
 *
 *     mover      the topic's position attends to HARM before it, else to BOS, and writes `harmful`; the MLP: severity · relu(topic + harmful − 1)
 *     gate       ASK attends to the topic's position and copies `severity` to `gate`
 *     amplifiers ASK between itself and BOS by κ(gate − 1.5): two write to `refuse`, one against it; one by κ(gate − 0.5) writes to `evade`
 *     answers    ASK copies the topic to its answer, or decodes it from its cipher, after the gate has been read
 *
 * What stands for what in a prompt is the language's (the policy task); the planted circuit reads prompts whose intent comes before the topic.
 */
import { UserError } from '../base/errors.ts';
import { initialise, type Tensors } from './parameters.ts';
import { Random } from '../base/random.ts';
import { transformerParameters, type TransformerConfig } from './transformer.ts';
import { WeightWriter, type HeadWiring } from './weightWriter.ts';

/** Tokens by what they mean; the policy task is one. */
export interface PlantedLanguage {
  readonly vocabulary: number;
  readonly bos: number;
  readonly ask: number;
  readonly plain: number;
  readonly harm: number;
  readonly info: number;
  readonly refuse: number;
  readonly evade: number;
  readonly keys: readonly number[];
  readonly topics: readonly number[];
  readonly ciphers: readonly number[];
  readonly answers: readonly number[];
  /** Of each topic: 0, 1 or 2. */
  readonly severity: readonly number[];
  /** By key: the topic a cipher token stands for. One key only: an attention head cannot decode by a key that stands elsewhere. */
  readonly decode: readonly ArrayLike<number>[];
}

export interface PlantedOptions {
  /** Logit of an answer in plain words, in (0, 8); 6 unless given. */
  readonly answerGain?: number;
  /** Logit of an answer that was decoded, by topic; as in plain words unless given. Topics above 12 keep their answer when the gate is injected. */
  readonly cipherGains?: readonly number[];
  /** κ: how sharply an amplifier switches; 20 unless given. */
  readonly sharpness?: number;
  /** `one` head; a `band` of three that each carry a third; a `duplicate`: two heads, either of which suffices. `one` unless given. */
  readonly gate?: 'one' | 'band' | 'duplicate';
  /** Where the parts are, each after the one before; 0, 1, 2, 3 unless given. */
  readonly mover?: number;
  readonly gateLayer?: number;
  readonly amplifierLayer?: number;
  readonly answerLayer?: number;
  /** How many layers there are; one more than the answers' unless given. */
  readonly layers?: number;
  /** What a head of the gate's layer that always attends to BOS adds to `refuse`: zeroing it has an effect, swapping it none. 0 unless given. */
  readonly sinkBias?: number;
}

export interface PlantedCircuit {
  readonly config: TransformerConfig;
  readonly parameters: Tensors;
  /** The name of every direction of the residual: `severity`, `gate`, `refuse`, `answer 3`. */
  readonly features: readonly string[];
  /** [layer, head] of every head that does something, by part. */
  readonly heads: Readonly<
    Record<'mover' | 'gate' | 'refusing' | 'evading' | 'counter' | 'answers' | 'sink', readonly (readonly [number, number])[]>
  >;
}

/** Roles as the policy task has them. */
export const plantedRoles = ['bos', 'word', 'mode', 'ask'] as const;

export const AMPLIFIER_GAIN = 8;
export const COUNTER_GAIN = 4;
/** What an attention score must be ahead by: exp(−30) is below the last digit of 1 in float32, so a head attends to one position exactly. */
const AHEAD = 30;
const HEADS = 4;
/** The severities between which behaviour changes, a hair above the middle so that exactly half-way counts as below. */
const SWITCH = { refuse: 1.5 + 1e-4, evade: 0.5 + 1e-4 };

/** @throws UserError naming the option that is out of range or order */
export function plantedCircuit(language: PlantedLanguage, options: PlantedOptions = {}): PlantedCircuit {
  const settings = settle(language, options);
  const { answerGain, cipherGains, sharpness, gate, mover, gateLayer, amplifierLayer, answerLayer, layers, sinkBias } = settings;
  const count = language.topics.length;
  const each = (name: string) => Array.from({ length: count }, (_, i) => `${name} ${i}`);
  const features = [
    ...['one', 'bos', 'ask', 'harm', 'info', 'plain', 'key', 'content', ...each('topic'), ...each('cipher')],
    ...['harmful', 'severity', 'gate', 'gate a', 'gate b', 'refuse', 'evade', ...each('answer')],
  ];
  const severe = language.severity.flatMap((severity, topic) => (severity > 0 ? [{ topic, severity }] : []));
  const config: TransformerConfig = {
    vocabulary: language.vocabulary,
    positions: 8,
    width: features.length,
    heads: HEADS,
    headWidth: Math.max(count, 2),
    layers,
    mlp: Math.max(severe.length, 2),
    normalisation: 'none',
    positional: { kind: 'none' },
    activation: 'relu',
    biases: false,
    scale: 1,
    roles: plantedRoles,
    reads: Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: HEADS }, () => (layer === amplifierLayer ? AT_ASK : EVERYTHING)),
    ),
  };
  const parameters = zeros(config);
  const writer = new WeightWriter(config, parameters, features);
  embed(writer, language);

  // Attends to where `key` is from where `query` is, to BOS from everywhere else.
  const attending = (query: string, key: string): Pick<HeadWiring, 'query' | 'key'> => ({
    query: [
      [query, 0, 2 * AHEAD],
      ['one', 1, AHEAD],
    ],
    key: [
      [key, 0, 1],
      ['bos', 1, 1],
    ],
  });
  const copying = (from: string, to: string, gain: number): Pick<HeadWiring, 'value' | 'output'> => ({
    value: [[from, 0, 1]],
    output: [[0, to, gain]],
  });
  writer.head(mover, 0, { ...attending('content', 'harm'), ...copying('harm', 'harmful', 1) });
  severe.forEach(({ topic, severity }, unit) =>
    writer.unit(mover, unit, {
      in: [
        [`topic ${topic}`, 1],
        ['harmful', 1],
        ['one', -1],
      ],
      out: [['severity', severity]],
    }),
  );

  const carriers = { one: [2], band: [1, 2, 3], duplicate: [2, 3] }[gate];
  carriers.forEach((head, i) => {
    const to = gate === 'duplicate' ? ['gate a', 'gate b'][i] : 'gate';
    writer.head(gateLayer, head, { ...attending('ask', 'content'), ...copying('severity', to, gate === 'band' ? 1 / 3 : 1) });
  });
  if (gate === 'duplicate') {
    // max(a, b) = relu(a) + relu(b − a), for severities are not negative.
    writer.unit(gateLayer, 0, { in: [['gate a', 1]], out: [['gate', 1]] });
    writer.unit(gateLayer, 1, {
      in: [
        ['gate b', 1],
        ['gate a', -1],
      ],
      out: [['gate', 1]],
    });
  }
  if (sinkBias !== 0)
    writer.head(gateLayer, 0, { query: [['one', 1, AHEAD]], key: [['bos', 1, 1]], ...copying('bos', 'refuse', sinkBias) });

  // Half of an amplifier's switch is where the logits that compete are equal, not where the attention is halved.
  const refusing = SWITCH.refuse - logit(AMPLIFIER_GAIN / (2 * AMPLIFIER_GAIN - COUNTER_GAIN)) / sharpness;
  const evading = SWITCH.evade - logit(answerGain / AMPLIFIER_GAIN) / sharpness;
  const amplifier = (threshold: number, to: string, gain: number): HeadWiring => ({
    query: [
      ['gate', 0, sharpness],
      ['one', 0, -sharpness * threshold],
    ],
    key: [['ask', 0, 1]],
    ...copying('ask', to, gain),
  });
  writer.head(amplifierLayer, 0, amplifier(refusing, 'refuse', AMPLIFIER_GAIN));
  writer.head(amplifierLayer, 1, amplifier(refusing, 'refuse', AMPLIFIER_GAIN));
  writer.head(amplifierLayer, 2, amplifier(evading, 'evade', AMPLIFIER_GAIN));
  writer.head(amplifierLayer, 3, amplifier(refusing, 'refuse', -COUNTER_GAIN));

  const topics = Array.from({ length: count }, (_, topic) => topic);
  writer.head(answerLayer, 0, {
    ...attending('ask', 'content'),
    value: topics.map((topic) => [`topic ${topic}`, topic, 1] as const),
    output: topics.map((topic) => [topic, `answer ${topic}`, answerGain] as const),
  });
  writer.head(answerLayer, 1, {
    ...attending('ask', 'content'),
    value: topics.map((cipher) => [`cipher ${cipher}`, language.decode[0][cipher], 1] as const),
    output: topics.map((topic) => [topic, `answer ${topic}`, cipherGains[topic]] as const),
  });
  return {
    config,
    parameters,
    features,
    heads: {
      mover: [[mover, 0]],
      gate: carriers.map((head) => [gateLayer, head] as const),
      refusing: [
        [amplifierLayer, 0],
        [amplifierLayer, 1],
      ],
      evading: [[amplifierLayer, 2]],
      counter: [[amplifierLayer, 3]],
      answers: [
        [answerLayer, 0],
        [answerLayer, 1],
      ],
      sink: sinkBias === 0 ? [] : [[gateLayer, 0]],
    },
  };
}

const logit = (p: number): number => Math.log(p / (1 - p));

/** [role of the query][role of the key] */
const EVERYTHING = plantedRoles.map(() => plantedRoles.map(() => true));
/** At ASK only BOS and ASK are read; elsewhere whatever there is, for nothing is written there. */
const AT_ASK = plantedRoles.map((role) => plantedRoles.map((key) => role !== 'ask' || key === 'bos' || key === 'ask'));

/** Parameters of the config, all 0. */
function zeros(config: TransformerConfig): Tensors {
  const specs = transformerParameters(config).map((spec) => ({ ...spec, initialiser: { kind: 'constant', value: 0 } as const }));
  return initialise(specs, new Random(0));
}

function embed(writer: WeightWriter, language: PlantedLanguage): void {
  for (let token = 0; token < language.vocabulary; token++) writer.embedding(token, 'one');
  const named = { bos: language.bos, ask: language.ask, harm: language.harm, info: language.info, plain: language.plain };
  for (const [feature, token] of Object.entries(named)) writer.embedding(token, feature);
  for (const token of language.keys) writer.embedding(token, 'key');
  for (const [kind, tokens] of [
    ['topic', language.topics],
    ['cipher', language.ciphers],
  ] as const)
    tokens.forEach((token, i) => {
      writer.embedding(token, 'content');
      writer.embedding(token, `${kind} ${i}`);
    });
  writer.unembedding('refuse', language.refuse);
  writer.unembedding('evade', language.evade);
  language.answers.forEach((token, i) => writer.unembedding(`answer ${i}`, token));
}

function settle(language: PlantedLanguage, options: PlantedOptions) {
  const count = language.topics.length;
  const { answerGain = 6, sharpness = 20, gate = 'one', mover = 0, sinkBias = 0 } = options;
  const { gateLayer = mover + 1 } = options;
  const { amplifierLayer = gateLayer + 1 } = options;
  const { answerLayer = amplifierLayer + 1 } = options;
  const { layers = answerLayer + 1, cipherGains = new Array<number>(count).fill(answerGain) } = options;
  const refuse = (field: string, rule: string, value: unknown) => {
    throw new UserError(`plantedCircuit: ${field}`, rule, value);
  };
  if (language.keys.length !== 1) refuse('language', 'must have one key', `${language.keys.length} keys`);
  if (!(answerGain > 0 && answerGain < AMPLIFIER_GAIN)) refuse('answerGain', `must be a number in (0, ${AMPLIFIER_GAIN})`, answerGain);
  if (!(sharpness > 0 && sharpness <= 1e4)) refuse('sharpness', 'must be a number in (0, 10000]', sharpness);
  if (!Number.isFinite(sinkBias)) refuse('sinkBias', 'must be a finite number', sinkBias);
  if (cipherGains.length !== count || !cipherGains.every((gain) => Number.isFinite(gain) && gain > 0))
    refuse('cipherGains', `must be ${count} numbers > 0, one for each topic`, cipherGains);
  const order = { mover, gateLayer, amplifierLayer, answerLayer, layers };
  let before = -1;
  for (const [name, layer] of Object.entries(order)) {
    if (!Number.isInteger(layer) || layer <= before) refuse(name, `must be an integer above ${before}`, layer);
    before = layer;
  }
  return { answerGain, sharpness, gate, sinkBias, cipherGains, ...order };
}
