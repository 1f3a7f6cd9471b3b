"""python-lsp-server over TCP, at any free port, which is its first line."""

import socketserver
import sys

from pylsp import python_lsp

activate = socketserver.TCPServer.server_activate


def activate_and_tell(server: socketserver.TCPServer) -> None:
    activate(server)
    sys.stdout.write(f"tcp://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()


socketserver.TCPServer.server_activate = activate_and_tell
python_lsp.start_tcp_lang_server("127.0.0.1", 0, False, python_lsp.PythonLSPServer)
