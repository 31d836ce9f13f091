import { serverApp } from './vue-app.js';

serverApp().mount('#root, #__nuxt');
