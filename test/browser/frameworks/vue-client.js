// A template, compiled in the browser: what `v-if` shows, and a text that is written over and over.
import { createApp } from 'vue/dist/vue.esm-bundler.js';
import { clientApp } from './vue-app.js';

clientApp().mount('#root');
createApp({
  data: () => ({ turn: 0 }),
  mounted() {
    setInterval(() => this.turn++, 20);
  },
  template: `
    <p id="turn" :data-turn="turn">Turn {{ turn }}: (202) 555-0199</p>
    <p id="again" :key="turn">again <b v-if="turn % 5">(202) 555-0199</b><b v-else>(202) 555-0199</b></p>`,
}).mount('#second');
