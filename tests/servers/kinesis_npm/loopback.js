// kinesis-local listens on every interface and has no setting for it; a test server is nobody else's business.
const net = require('net')
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (where, ...rest) {
  if (where !== null && typeof where === 'object' && where.port !== undefined) {
    return listen.call(this, { ...where, host: '127.0.0.1' }, ...rest)
  }
  const callback = rest.filter((one) => typeof one === 'function')
  return listen.call(this, { port: Number(where), host: '127.0.0.1' }, ...callback)
}
