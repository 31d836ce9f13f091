// The same page of Vue.
import { createSSRApp, createApp, h, ref } from 'vue';

const SAYINGS = ['Call (202) 555-0199', 'Ring (202) 555-0199', 'Write to us'];

const App = {
  setup() {
    const count = ref(0);
    const items = ref(['one', 'two', 'three']);
    const saying = ref(0);
    const route = ref('/');
    const go = () => {
      route.value = route.value === '/' ? '/away' : '/';
      history.pushState(null, '', `?at=${route.value}`);
    };
    const button = (id, onClick, text = id) => h('button', { id, onClick }, text);
    return () =>
      h('main', [
        h('p', { id: 'pieces' }, ['Call ', '(202) 555-0199', ' today, as ', String(count.value), ' did']),
        h('p', { id: 'text' }, `(202) 555-0199 was called ${count.value} times`),
        h(
          'a',
          { id: 'tel', href: 'tel:+12025550199', title: `202-555-0199, ${count.value}` },
          '202-555-0199',
        ),
        h('p', { id: 'saying' }, SAYINGS[saying.value]),
        h(
          'ul',
          items.value.map((item) => h('li', { key: item }, `${item}: (202) 555-0199`)),
        ),
        route.value === '/'
          ? h('p', { id: 'home' }, 'Home: 202.555.0199')
          : h('h2', { id: 'away' }, 'Away: 202.555.0199'),
        button('more', () => count.value++, `more ${count.value}`),
        button('shrink', () => (items.value = items.value.slice(1))),
        button('say', () => (saying.value = (saying.value + 1) % 3)),
        button('go', go),
      ]);
  },
};

export const serverApp = () => createSSRApp(App);
export const clientApp = () => createApp(App);
