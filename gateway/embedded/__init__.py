"""A private PostgreSQL and Redis for the demo and the tests: started and stopped from here.

Both listen on unix sockets alone, inside a folder that nobody but their account may enter: no
port, no password, nothing for a neighbour on the machine to find. They end when this process ends,
however it ends, and what PostgreSQL holds is there again at the next start with the same folder.

PostgreSQL refuses to run as root. Started by root, the servers run as `nobody`, with a group id of
their own; the permissions of no folder outside `data` are touched to make that work.
"""

from gateway.embedded.endpoints import Endpoints
from gateway.embedded.folder import running
from gateway.embedded.leash import Account, leashed
from gateway.embedded.place import short_folder
from gateway.embedded.server import Server
from gateway.embedded.servers import Embedded
from gateway.embedded.words import EmbeddedError, Say, last_words

__all__ = [
    "Account",
    "Embedded",
    "EmbeddedError",
    "Endpoints",
    "Say",
    "Server",
    "last_words",
    "leashed",
    "running",
    "short_folder",
]
