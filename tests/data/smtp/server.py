"""A mail server that others wrote (aiosmtpd), for the tests: it demands STARTTLS and AUTH, and passes nothing on.

Prints its port when it is ready. Each mail that it accepts becomes one line of JSON in the spool: from, to, data.
"""

import argparse
import asyncio
import json
import ssl

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Spool:
    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.content.decode("utf-8", "replace"),
        }
        self.file.write(json.dumps(mail) + "\n")
        self.file.flush()
        return "250 2.6.0 Kept"


async def serve(options):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(options.certificate, options.key)
    known = LoginPassword(options.user.encode(), options.password.encode())
    spool = Spool(options.spool)

    def authenticate(server, session, envelope, mechanism, login):
        # Not handled: aiosmtpd then answers 535 itself.
        return AuthResult(success=login == known, handled=False)

    def connection():
        return SMTP(
            spool,
            hostname="localhost",
            tls_context=tls,
            require_starttls=True,
            auth_required=True,
            authenticator=authenticate,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


parser = argparse.ArgumentParser(description=__doc__)
for name in ["certificate", "key", "user", "password", "spool"]:
    parser.add_argument(f"--{name}", required=True)
asyncio.run(serve(parser.parse_args()))
