import { renderToString } from 'vue/server-renderer';
import { serverApp } from './vue-app.js';

export const html = () => renderToString(serverApp());
