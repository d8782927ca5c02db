/**
 * Who may import whom: the one statement of it, as an ESLint rule. Imports go down only (design: Layout), Node stays out of the parts of
 * the engine that only compute, and the native runtime out of every process but the engine's.
 */
import { isBuiltin } from 'node:module';
import { dirname, relative, resolve } from 'node:path';

const upToOps = ['engine/base', 'engine/graph', 'engine/ops'];
const upToGates = [...upToOps, 'engine/gates'];
const upToModels = [...upToGates, 'engine/models', 'engine/formats'];
const beforeAnalyses = [...upToModels, 'engine/execute', 'engine/tasks', 'engine/training', 'engine/interventions'];
const upToRun = [...beforeAnalyses, 'engine/analyses', 'engine/contract', 'engine/jobs'];
const wholeEngine = [...upToRun, 'engine/run', 'engine/engine', 'engine/export', 'engine/protocols'];

/**
 * Part → what it may import. `types` are for `import type` only. Every part may import itself.
 * @type {Record<string, { values?: string[], types?: string[], node?: boolean }>}
 */
const parts = {
  'engine/base': {},
  'engine/graph': { values: ['engine/base'] },
  'engine/ops': { values: ['engine/base', 'engine/graph'] },
  'engine/execute': { values: ['engine/base', 'engine/graph'], types: ['engine/ops'], node: true },
  'engine/gates': { values: upToOps },
  'engine/models': { values: upToGates },
  // A file of a model becomes a model of ours.
  'engine/formats': { values: [...upToGates, 'engine/models'], node: true },
  'engine/tasks': { values: upToModels, node: true },
  'engine/training': { values: [...upToModels, 'engine/execute'], types: ['engine/contract'] },
  'engine/interventions': { values: [...upToModels, 'engine/execute', 'engine/tasks'], types: ['engine/contract'] },
  'engine/analyses': { values: beforeAnalyses, types: ['engine/contract'] },
  'engine/export': { values: [...upToModels, 'engine/analyses'] },
  // What crosses processes: plain data, so that anyone may speak of it.
  'engine/contract': { types: [...beforeAnalyses, 'engine/analyses'] },
  'engine/jobs': { values: [...beforeAnalyses, 'engine/analyses', 'engine/contract'], node: true },
  'engine/run': { values: upToRun },
  'engine/engine': { values: [...upToRun, 'engine/run'], node: true },
  // Runs on the host: jobs are spoken of by their types only, so no native library comes with it.
  'engine/protocols': { values: [...upToModels, 'engine/tasks', 'engine/contract'], types: ['engine/jobs'] },
  // Both ends of the wire between window and host: neither Node nor DOM.
  'main/rpc': { values: ['engine/base'] },
  // The session file knows nothing of who works on it.
  'main/store': { values: wholeEngine, node: true },
  'main/export': { values: [...wholeEngine, 'main/store'], node: true },
  'main/host': { values: [...wholeEngine, 'main/rpc', 'main/store', 'main/export'], node: true },
  'main/serve': { values: [...wholeEngine, 'main/rpc', 'main/host'], node: true },
  'main/shell': { values: [...wholeEngine, 'main/rpc', 'main/host'], node: true },
  'main/cli': { values: [...wholeEngine, 'main/rpc', 'main/store', 'main/export', 'main/host', 'main/serve'], node: true },
  renderer: { values: ['engine/base', 'main/rpc'], types: [...wholeEngine, 'main/store', 'main/host', 'main/shell'] },
  // The bench of the window starts the program and finds its processes as the tests of the whole program do.
  bench: { values: [...wholeEngine, 'main', 'scripts', 'fixtures', 'e2e/fixtures', 'e2e/probes'], node: true },
  fixtures: { values: [...wholeEngine, 'main', 'scripts'], node: true },
  e2e: { values: ['scripts', 'fixtures'], types: [...wholeEngine, 'main'], node: true },
  scripts: { node: true },
};

/** Packages that only some parts may load. The host never loads onnxruntime-node: a native run cannot be interrupted. */
const packages = [
  { name: /^onnxruntime-node(\/|$)/, parts: ['engine/execute'] },
  { name: /^@tensorflow\//, parts: ['engine/execute', 'engine/ops'] },
];

/** Layers whose folders are parts of their own. @param {string} layer */
const hasParts = (layer) => layer === 'engine' || layer === 'main';

/** @param {string} file relative to the root, `/` between folders @returns {string | undefined} the part it belongs to */
export function partOf(file) {
  const [layer, next = ''] = file.split('/');
  if (hasParts(layer)) {
    if (layer === 'engine' && isForTests(file) && !file.includes('/', 'engine/'.length)) return 'engine/run'; // a test of the engine as a whole
    return Object.keys(parts).find((part) => part === `${layer}/${next.replace(/\.ts$/, '')}`);
  }
  return Object.hasOwn(parts, layer) && next ? layer : undefined;
}

/** Tests, and what is written only for them (`testing.ts`, or any file in a folder `testing/`, and the gallery). @param {string} file */
export function isForTests(file) {
  return /(\.test\.ts|(^|\/)testing\.ts)$|\/testing\/|^renderer\/gallery\//.test(file);
}

/**
 * @param {string} from the importing file, relative to the root @param {string} specifier as written in the import
 * @param {{ typeOnly?: boolean }} [options]
 * @returns {string | undefined} what is wrong with it
 */
export function whatIsWrong(from, specifier, { typeOnly = false } = {}) {
  const part = partOf(from);
  if (!part) return undefined;
  const forTests = isForTests(from);
  const rule = parts[part];
  if (!specifier.startsWith('.')) {
    if (isBuiltin(specifier)) {
      return rule.node || forTests
        ? undefined
        : `${part} must not import Node modules (${specifier}): only execute/, formats/ and tasks/ may`;
    }
    const limit = packages.find(({ name }) => name.test(specifier));
    return !limit || typeOnly || forTests || limit.parts.includes(part)
      ? undefined
      : `${part} must not load ${specifier}: only ${limit.parts.join(' and ')} may`;
  }
  const target = relative('/', resolve('/', dirname(from), specifier)).replaceAll('\\', '/');
  if (isForTests(target) && !forTests) return `${part} must not import ${target}, which is for tests`;
  const layer = part.split('/')[0];
  const reached = partOf(target);
  if (!reached) return hasParts(target.split('/')[0]) ? unknown(target) : undefined;
  if (reached === part) return undefined;
  // A test may look at all of its own layer, whatever the height, and at what is kept for tests.
  if (forTests && [layer, 'scripts', 'fixtures'].includes(reached.split('/')[0])) return undefined;
  /** @param {string[]} [allowed] */
  const within = (allowed) => allowed?.some((entry) => entry === reached || target.startsWith(`${entry}/`));
  if (within(rule.values)) return undefined;
  if (within(rule.types)) return typeOnly ? undefined : `${part} may import only types from ${reached}: write \`import type\``;
  return `${part} must not import ${reached}: imports go down only`;
}

/** @param {string} file */
function unknown(file) {
  return `${file} is in no part of its layer: give its folder a line in scripts/importDirections.mjs`;
}

/** @type {import('eslint').Rule.RuleModule} */
export const importDirections = {
  meta: { type: 'problem', docs: { description: 'imports go down only' }, schema: [] },
  create(context) {
    const from = relative(context.cwd, context.filename).replaceAll('\\', '/');
    if (!partOf(from)) return hasParts(from.split('/')[0]) ? { Program: (node) => context.report({ node, message: unknown(from) }) } : {};
    /** @param {any} node */
    const look = (node) => {
      const source = node.source;
      if (typeof source?.value !== 'string') return;
      const named = node.specifiers ?? [];
      const typeOnly =
        node.type === 'TSImportType' ||
        (node.importKind ?? node.exportKind) === 'type' ||
        (named.length > 0 && named.every((/** @type {any} */ one) => (one.importKind ?? one.exportKind) === 'type'));
      const message = whatIsWrong(from, source.value, { typeOnly });
      if (message) context.report({ node: source, message });
    };
    return {
      ImportDeclaration: look,
      ImportExpression: look,
      ExportNamedDeclaration: look,
      ExportAllDeclaration: look,
      /** @param {any} node */
      TSImportType: look,
    };
  },
};
