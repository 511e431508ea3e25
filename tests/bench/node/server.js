// ussd-menu-builder behind Express: a menu for each request, as it must be where callers may not
// mix, and its sessions in Redis. The same five hops as the gateway's, with a balance at the end.
'use strict';

const express = require('express');
const Redis = require('ioredis');
const UssdMenu = require('ussd-menu-builder');

const [port, socket] = process.argv.slice(2);
const redis = new Redis({ path: socket, db: 2 });
const IDLE_S = 180;

const sessions = {
    start: (id) => redis.expire(`peer:${id}`, IDLE_S),
    end: (id) => redis.del(`peer:${id}`),
    get: (id, key) => redis.hget(`peer:${id}`, key),
    set: (id, key, value) => redis.hset(`peer:${id}`, key, value),
};

const HOME = 'Hola Rosa\n1. Saldo\n2. Enviar dinero\n3. Credito\n4. Movimientos\n5. Mas / More';

function menu() {
    const built = new UssdMenu();
    built.sessionConfig(sessions);
    const home = async () => {
        await built.session.set('phone', built.args.phoneNumber);
        built.con(HOME);
    };
    built.startState({ run: home, next: { 1: 'balance', 5: 'more' } });
    built.state('home', { run: home, next: { 1: 'balance', 5: 'more' } });
    built.state('more', {
        run: () => built.con('Mas opciones\n1. Idioma / Language\n2. SMS\n0 Volver'),
        next: { 1: 'language', 0: 'home' },
    });
    built.state('language', {
        run: () => built.con('Idioma / Language\n1. Español\n2. English\n0 Volver'),
        next: { '00': 'home', 0: 'more' },
    });
    built.state('balance', {
        run: async () => {
            await built.session.get('phone');
            built.end('Puedes usar:\nAhorro: S/ 1,250.50');
        },
    });
    return built;
}

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use(express.urlencoded({ extended: false }));
app.post('/', async (request, response) => {
    response.type('text/plain').send(await menu().run(request.body));
});
app.listen(Number(port), '127.0.0.1');
