/**
 * The fences that plain ESLint rules can hold. Flat config replaces a rule's options instead of adding to them, so every
 * zone names its whole list here. Each message says why, because the reader is somebody whose build has just failed.
 */

/** Syntax nobody writes, wherever they are. */
const everywhere = [
  {
    selector: 'ExportAllDeclaration',
    message: 'Name each export: a door that exports everything hides what others rely on.',
  },
  {
    selector: 'TSAsExpression > TSAsExpression.expression > TSUnknownKeyword.typeAnnotation',
    message: 'A cast through `unknown` switches the compiler off. Narrow the value, or decode it where it enters.',
  },
];

const anotherDoor = {
  selector: 'Program',
  message:
    'Only a lib has an index.ts, in its src folder. Inside a project import the file that holds the thing, so that circles cannot hide behind a barrel.',
};

const interpolations = [
  {
    selector: 'TemplateLiteral[expressions.length>0]',
    message: 'SQL is one constant text: pass values as parameters ($1) and write one statement per question.',
  },
  {
    selector: "BinaryExpression[operator='+']",
    message: 'SQL is one constant text: pass values as parameters ($1) and write one statement per question.',
  },
];

const clock = 'Pass `now` in as a fact: simulations, replays and production have to agree.';

const readingTheClock = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clock },
  { selector: "CallExpression[callee.name='Date']", message: clock },
];

const anotherClock = {
  selector: "CallExpression[callee.name='createSystemClock']",
  message:
    'A process has one clock, made in its module: moments of two clocks differ by up to 10 ms and may not be compared. Take it as an argument.',
};

const connectionWithoutLimit = {
  selector: ":matches(NewExpression[callee.name='Client'], NewExpression[callee.property.name='Client']):not(:has(Property[key.name='query_timeout']))",
  message:
    'Give the connection a query_timeout: where a wire breaks without a word, a statement without a limit waits for ever, and so does whoever waits for what it holds.',
};

const notRun = 'A test that does not run is a promise nobody keeps.';

const skipped = [
  {
    // `const itHere = machineHas(…) ? it : it.skip` is the one honest way: it is counted, and fails where all is required.
    selector:
      'MemberExpression[object.name=/^(it|test|describe)$/][property.name=/^(only|skip|todo|failing)$/]:not(ConditionalExpression > MemberExpression)',
    message: `${notRun} Where the machine lacks something, choose between it and it.skip by asking for it.`,
  },
  { selector: 'CallExpression[callee.name=/^(xit|xtest|xdescribe|fit|fdescribe)$/]', message: notRun },
];

const syntax = (...lists) => ({ 'no-restricted-syntax': ['error', ...lists.flat()] });

/** Rules of each zone, by the name of the zone. */
export const fences = {
  everywhere: syntax(everywhere),
  specs: syntax(everywhere, skipped),
  apps: syntax(everywhere, [anotherClock, connectionWithoutLimit]),
  localStack: syntax(everywhere, [connectionWithoutLimit]),
  strayDoor: syntax(everywhere, [anotherDoor]),
  sql: syntax(everywhere, interpolations),

  pure: {
    ...syntax(everywhere, readingTheClock),
    'no-restricted-globals': [
      'error',
      ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'].map((name) => ({
        name,
        message: 'Decisions never wait. Return the moment as data and let the app set the timer.',
      })),
      ...['process', 'Buffer', '__dirname', 'require'].map((name) => ({
        name,
        message: 'This lib is pure and also runs in a browser. Take the fact as an argument.',
      })),
      ...['fetch', 'WebSocket', 'console', 'crypto'].map((name) => ({
        name,
        message: 'Decisions touch nothing outside. Return the effect as data and let the app carry it out.',
      })),
      { name: 'performance', message: clock },
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: clock },
      {
        object: 'Math',
        property: 'random',
        message: 'Pass the choice in: a decision that cannot be repeated cannot be tested.',
      },
      { object: 'globalThis', property: 'process', message: 'Take the fact as an argument.' },
    ],
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex:
              '^(node:|(fs|os|path|crypto|child_process|timers|net|http|https|events|util|url|stream|process)(/|$))',
            message: 'Decisions take facts as arguments. Read them in the app.',
          },
        ],
      },
    ],
  },

  environment: {
    'no-restricted-properties': [
      'error',
      {
        object: 'process',
        property: 'env',
        message:
          'The environment is read once, in config.ts, where it is validated and every complaint is reported together. Take the value from the configuration.',
      },
    ],
  },

  imports: {
    'no-restricted-imports': [
      'error',
      {
        paths: [
          {
            name: '@nestjs/common',
            importNames: ['forwardRef'],
            message:
              'Two features that need each other: let one announce and the other listen, or move the decision to the domain.',
          },
        ],
      },
    ],
  },

  edges: {
    'no-restricted-imports': [
      'error',
      {
        paths: [
          { name: 'typeorm', message: 'A controller or gateway decodes, makes one call to a service and returns.' },
          { name: 'pg', message: 'A controller or gateway decodes, makes one call to a service and returns.' },
        ],
        patterns: [
          {
            regex: '\\.(repository|sql|entity)(\\.js)?$',
            message: 'A controller or gateway decodes, makes one call to a service and returns. Ask the service.',
          },
        ],
      },
    ],
  },

  browser: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: '^node:',
            message: 'The client also runs in browsers: use fetch, streams and URL, which both have.',
          },
        ],
      },
    ],
  },
};
