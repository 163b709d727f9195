"""A server that misbehaves on the wire, on demand. Prints its port, then serves until its stdin closes.

Every path is one behaviour; /log answers how many connections and requests there were, and what headers came.
"""
import gzip, json, os, socket, ssl, struct, sys, threading, time, zlib

state = {"connections": 0, "requests": 0, "headers": [], "targets": []}
lock = threading.Lock()
open_now = {"count": 0, "peak": 0}


def head(status, *lines):
    return (f"HTTP/1.1 {status}\r\n" + "".join(l + "\r\n" for l in lines) + "\r\n").encode()


def sized(body, *lines, status="200 OK"):
    return head(status, f"Content-Length: {len(body)}", "Content-Type: application/json", *lines) + body


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


def serve(sock, path, query, count):
    """Answers one request; returns False when the connection must close."""
    ok = b'{"data":[1,2,3],"has_more":false}'
    if path == "/ok":
        sock.sendall(sized(ok, "X-Request-Id: req_1", "x-twice: a", "X-Twice: b"))
    elif path == "/log":
        with lock:
            body = json.dumps({**state, "peak": open_now["peak"]}).encode()
        sock.sendall(sized(body))
    elif path == "/gzip":
        body = gzip.compress(ok * 1000)
        sock.sendall(sized(body, "Content-Encoding: gzip"))
    elif path == "/deflate":
        sock.sendall(sized(zlib.compress(ok), "Content-Encoding: deflate"))
    elif path == "/gzip_cut":
        body = gzip.compress(os.urandom(100_000))[:50_000]
        sock.sendall(sized(body, "Content-Encoding: gzip"))
    elif path == "/gzip_bad":
        body = bytearray(gzip.compress(os.urandom(100_000)))
        body[30_000:30_100] = b"\xff" * 100
        body[0:2] = b"XX"
        sock.sendall(sized(bytes(body), "Content-Encoding: gzip"))
    elif path == "/bomb":
        squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
        sock.sendall(head("200 OK", "Content-Encoding: gzip", "Transfer-Encoding: chunked"))
        for _ in range(20):
            piece = squeeze.compress(b"\0" * 1_000_000)
            if piece:
                sock.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        sock.sendall(b"0\r\n\r\n")
    elif path == "/endless":
        sock.sendall(head("200 OK", "Transfer-Encoding: chunked"))
        piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for _ in range(4000):
            sock.sendall(piece)
    elif path == "/declared_huge":
        sock.sendall(head("200 OK", "Content-Length: 1000000000000000") + b"{")
        time.sleep(5)
        return False
    elif path == "/short":
        sock.sendall(head("200 OK", f"Content-Length: {len(ok) + 10}") + ok)
        return False
    elif path == "/cut_chunk":
        sock.sendall(head("200 OK", "Transfer-Encoding: chunked") + b"ff\r\n" + ok)
        return False
    elif path == "/no_last_chunk":
        sock.sendall(head("200 OK", "Transfer-Encoding: chunked") + f"{len(ok):x}\r\n".encode() + ok + b"\r\n")
        return False
    elif path == "/chunked":
        for piece in [head("200 OK", "Transfer-Encoding: chunked"), b"3\r\n" + ok[:3] + b"\r\n",
                      f"{len(ok) - 3:x}\r\n".encode() + ok[3:] + b"\r\n", b"0\r\nX-Trailer: t\r\n\r\n"]:
            sock.sendall(piece)
    elif path == "/until_close":
        sock.sendall(head("200 OK", "Connection: close") + ok)
        return False
    elif path == "/rst_before":
        reset(sock)
    elif path == "/rst_mid":
        sock.sendall(head("200 OK", "Content-Length: 100000") + ok)
        time.sleep(0.05)
        reset(sock)
    elif path == "/close_before":
        return False
    elif path == "/drip":
        sock.sendall(head("200 OK", "Content-Length: 1000"))
        for _ in range(1000):
            sock.sendall(b" ")
            time.sleep(0.05)
    elif path == "/stall":
        sock.sendall(head("200 OK", "Content-Length: 1000") + b"{")
        time.sleep(8)
        return False
    elif path == "/redirect":
        sock.sendall(sized(b"", "Location: http://127.0.0.1:%s/ok" % query, status="302 Found"))
    elif path == "/big_header":
        sock.sendall(sized(ok, "X-Big: " + "x" * 90_000))
    elif path == "/huge_header":
        sock.sendall(sized(ok, "X-Big: " + "x" * 200_000))
    elif path == "/many_headers":
        sock.sendall(sized(ok, *[f"X-{n}: 1" for n in range(10_000)]))
    elif path == "/early_hints":
        sock.sendall(head("103 Early Hints", "Link: </a>; rel=preload", "Content-Length: 7") + sized(ok))
    elif path == "/endless_hints":
        for _ in range(100_000):
            sock.sendall(head("103 Early Hints", "a: b"))
    elif path == "/slow":
        time.sleep(0.3)
        sock.sendall(sized(ok))
    elif path == "/no_content":
        sock.sendall(head("204 No Content"))
    elif path == "/status":
        sock.sendall(sized(b'{"error":{"message":"no","code":"c"}}', status=f"{query} Odd"))
    elif path == "/flaky":  # 503 twice, then data
        sock.sendall(sized(ok) if count % 3 == 0 else sized(b"", "Retry-After: 0.01", status="503 Busy"))
    elif path == "/large":
        body = b"x" * int(query)
        sock.sendall(sized(body))
    else:
        sock.sendall(sized(b"{}", status="404 Not Found"))
    return True


counts = {}


def connection(sock):
    with lock:
        state["connections"] += 1
        open_now["count"] += 1
        open_now["peak"] = max(open_now["peak"], open_now["count"])
    try:
        buffer = b""
        while True:
            while b"\r\n\r\n" not in buffer:
                piece = sock.recv(65536)
                if not piece:
                    return
                buffer += piece
            request, buffer = buffer.split(b"\r\n\r\n", 1)
            lines = request.decode("latin-1").split("\r\n")
            target = lines[0].split(" ")[1]
            path, _, query = target.partition("?")
            with lock:
                if path != "/log":
                    state["requests"] += 1
                    state["headers"].append(lines[1:])
                    state["targets"].append(target)
                counts[path] = counts.get(path, 0) + 1
                count = counts[path]
            if path == "/echo":
                length = next(int(l.split(":")[1]) for l in lines[1:] if l.lower().startswith("content-length:"))
                while len(buffer) < length:
                    buffer += sock.recv(65536)
                sock.sendall(sized(buffer[:length]))
                buffer = buffer[length:]
                continue
            if not serve(sock, path, query, count):
                return
    except OSError:
        pass
    finally:
        with lock:
            open_now["count"] -= 1
        sock.close()


def accept(listener, context):
    while True:
        sock, _ = listener.accept()
        if context:
            try:
                sock = context.wrap_socket(sock, server_side=True)
            except OSError:
                continue
        threading.Thread(target=connection, args=(sock,), daemon=True).start()


context = None
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 3 and sys.argv[3] == "tls1.1":
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
listener = socket.create_server(("127.0.0.1", 0), backlog=256)
threading.Thread(target=accept, args=(listener, context), daemon=True).start()
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
