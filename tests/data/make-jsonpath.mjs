// Makes tests/data/jsonpath.jsonl: queries, documents, and what npm's jsonpath-rfc9535 finds. A line
// each: {"q": QUERY, "d": DOCUMENT, "r": [VALUES] or null when the query is wrong}.
//   npm install jsonpath-rfc9535 && node make-jsonpath.mjs >jsonpath.jsonl
// Version 1.3.0 of it does not check types (RFC 9535 section 2.4.3), nor names of functions, nor the
// range of indices; it finds nothing by singular queries of several segments where they are compared;
// takes a slice's second colon followed by a blank for a step of 0, and a slice's negative end that lies
// before the array for its end; and loses the third operand of "a && b && c". Such queries are left out
// here; the tables of the unit test have them.
import { query } from 'jsonpath-rfc9535';

let state = 9535;
const below = (n) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0, (state >>> 8) % n);
const pick = (list) => list[below(list.length)];

const documents = [
  { store: { book: [
      { category: 'reference', author: 'Nigel Rees', title: 'Sayings', price: 8.95 },
      { category: 'fiction', author: 'Evelyn Waugh', title: 'Sword', price: 12.99 },
      { category: 'fiction', author: 'Herman Melville', title: 'Moby Dick', isbn: '0-553', price: 8.99 },
      { category: 'fiction', author: 'Tolkien', title: 'Lord', isbn: '0-395', price: 22.99 }],
      bicycle: { color: 'red', price: 399 } } },
  { a: [3, 5, 1, 2, 4, 6, { b: 'j' }, { b: 'k' }, { b: {} }, { b: 'kilo' }],
    o: { p: 1, q: 2, r: 3, s: 5, t: { u: 6 } }, e: 'f', x: null, y: false, z: '' },
  [0, 1, 2, 3, 4, [5, [6, [7]]], 'text', null, true, 1.0, -1.5],
  { 'j j': { 'k.k': 3 }, "'": { '@': 2 }, 'é': { 'ü': ['ö'] }, a: { a: { a: [1, { a: 2 }] } }, length: 7 },
  [{ a: 'ab', b: 'ab' }, { a: 1, b: 1.0 }, { a: null }, { b: null }, { a: [1, 2] }, { a: { c: 1 } }, {}, [], ''],
  { s: ['a', 'ab', 'abc', 'äöü', '😀', 'a\nb', '1999-01-02'], n: [1, 1e2, -0, 1.25, 9007199254740991] },
  {}, [], null, 5, 'x', [[[]]], { a: {} },
];
const names = ['a', 'b', 'o', 'store', 'book', 'price', 'isbn', 'length', 's', 'n', 'é', 'nope', 'p'];
const literals = ['1', '-1', '1.0', '10', '8.99', '1e2', '-0', "'ab'", '"k"', "'red'", 'true', 'false', 'null', "''", '"\\u00e4"'];
const regexes = ["'a'", "'a.'", "'.*'", "'[jk]'", "'a|b'", "'[0-9]{4}-[0-9]{2}-[0-9]{2}'", "'.b'", "'[^a]+'", "'a.b'", "'k(ilo)?'", "''"];
const space = () => pick(['', '', '', ' ', '\n', '\t ']);

const index = () => String(below(12) - 5);
const slice = () => `${pick(['', index()])}${space()}:${space()}${pick(['', String(below(8))])}${pick(['', ':' + index()])}`;
const quoted = (name) => pick([`'${name}'`, `"${name}"`]);
const singular = (root) => root + Array.from({ length: below(2) }, () => pick([`.${pick(names)}`, `[${index()}]`, `['${pick(names)}']`])).join('');
const path = (depth) => pick(['@', '@', '@', '$']) + Array.from({ length: below(3) }, () => segment(depth - 1)).join('');
const comparable = (depth) => pick([() => pick(literals), () => singular(pick(['@', '@', '$'])),
  () => `length(${singular('@')})`, () => `count(${path(depth)})`, () => `value(${path(depth)})`])();
const basic = (depth) => pick([
  () => `${comparable(depth)}${space()}${pick(['==', '!=', '<', '<=', '>', '>='])}${space()}${comparable(depth)}`,
  () => pick(['', '!']) + path(depth),
  () => `${pick(['', '!'])}${pick(['match', 'search'])}(${singular('@')},${space()}${pick(regexes)})`,
  () => depth > 0 ? `${pick(['', '!'])}(${space()}${filter(depth - 1)}${space()})` : path(0),
])();
const filter = (depth) => Array.from({ length: 1 + below(2) }, () => basic(depth)).join(space() + pick(['&&', '||']) + space());
const selector = (depth) => pick([() => quoted(pick(names)), () => '*', index, slice,
  () => depth > 0 ? `?${space()}${filter(depth)}` : '*'])();
const brackets = (depth) => `[${space()}${Array.from({ length: pick([1, 1, 1, 2, 3]) }, () => selector(depth)).join(`${space()},${space()}`)}${space()}]`;
const segment = (depth) => pick([() => `.${pick(names)}`, () => '.*', () => brackets(depth),
  () => `..${pick([pick(names), '*'])}`, () => `..${brackets(depth)}`])();
const whole = () => '$' + Array.from({ length: 1 + below(3) }, () => space() + segment(2)).join('');
const odd = ['.', '[', ']', '(', ')', '?', '@', '$', ' ', ',', ':', '*', '-', '0', '1', "'", '"', '\\', '!', '=', '&', '|', 'a', '\u0001', '\\u00'];
const mutate = (text) => { const at = below(text.length + 1);
  return pick([() => text.slice(0, at) + text.slice(at + 1), () => text.slice(0, at) + pick(odd) + text.slice(at),
    () => text.slice(0, at) + pick(odd) + text.slice(at + 1)])(); };

const fixed = ['$', '$.a', '$["a"]', "$['\\'']['@']", "$['j j']['k.k']", '$..*', '$..[0]', '$.store.book[*].author',
  '$..book[2]', '$..book[-1]', '$..book[0,1]', '$..book[:2]', '$..book[?@.isbn]', '$..book[?@.price<10]', '$..*',
  '$[01]', '$[-0]', '$[1:2:0]', '$[::-1]', '$.a[?@.b == "kilo"]', '$.a[?@>3.5]', '$.a[?@.b]',
  '$[?@.*]', '$[?@[?@.b]]', '$.o[?@<3, ?@<3]', '$.a[?@<2 || @.b == "k"]', '$.a[?match(@.b, "[jk]")]', '$.a[?search(@.b, "[jk]")]',
  '$.o[?@>1 && @<4]', '$.o[?@.u || @.x]', '$.a[?@.b == $.x]', '$.a[?@ == @]', '$[?length(@.a) == 2]', '$[?count(@.*)==1]',
  
  '$[?(@.a == 1)]', '$[?!(@.a == 1)]', '$[?@.a == @.b]', 
  '$ .a', '$. a', '$.. a', '$..', '$.', '$a', ' $.a', '$.a ', '$.1a', '$.a-b', '$[a]', "$['a',]", "$['\\u00E9']",
  "$['\\uD83D\\uDE00']", "$['\\uD83D']", "$['\\uDE00']", '$["\\\'"]', "$['\\\"']", "$['\\x']", '$[?@.a==1.]', '$[?@.a==01]', '$[?@.a==-0]',
  '$[?@.a==1e2]', '$[?@.a==+1]', '$[?$.a]', '$[?@]', "$[?'a'=='a']", '$[?@.a&&@.b||@.c]', '$[?@.a & @.b]', '$[?@["a"]]', 
  '$[?value(@..a)==1]', '$[?length(value($..a))>0]', "$[?length('abc')==3]", '$[?count($[?@.a])>0]'];
let wrong = 0, lines = 0;
const seen = new Set();
const record = (q, d) => {
  const key = q + JSON.stringify(d);
  if (seen.has(key) || q.length > 200) return;
  if (/:\s+[\],]/.test(q) || /(?<!\b(length|count|value|match|search))\(/.test(q.replace(/[?!(&|\s]\(/g, ''))) return;
  if (/length\(\)/.test(q) || /==\s*@\['nope'\]/.test(q)) return; // No argument; nothing is not "abc".
  seen.add(key);
  let r;
  try { r = query(d, q); } catch { r = null; wrong++; }
  if (r !== null && JSON.stringify(r).length > 3000) return;
  lines++;
  console.log(JSON.stringify({ q, d, r }));
};
for (const q of fixed) for (const d of documents.slice(0, 6)) record(q, d);
while (lines < 4000) {
  let q = whole();
  if (below(4) === 0) q = mutate(q);
  record(q, pick(documents));
}
console.error(`${lines} lines, ${wrong} wrong queries`);
