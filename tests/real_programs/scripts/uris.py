# SPDX-License-Identifier: LGPL-2.1-or-later
# URIs that are read and written, and those that are not.
# server: nbdkit info exportname
# options: -n
import re

def connect(uri, prepare=lambda h: None):
    h = nbd.NBD()
    prepare(h)
    try:
        h.connect_uri(uri)
        print(repr(uri), h.get_size(), h.pread(h.get_size(), 0), h.get_uri())
    except nbd.Error as error:
        print(repr(uri), error.string.split(':')[0], error.errno)

for export in ['', 'a', 'a/b', '/a', 'a%20b', 'a%2Fb', '%C3%A9', 'a+b', 'a%3Fb', 'a;b', 'a:b@c',
               'a%25b', '~a-b_c.d', 'a%22b', "a'b", 'a%5Cb', 'a%26b%3Dc']:
    connect('nbd+unix:///%s?socket=@SOCKET@' % export)
for uri in ['nbd+unix://?socket=@SOCKET@', 'nbd+unix:///a?x=y&socket=@SOCKET@',
            'nbd+unix:///a?socket=/no&socket=@SOCKET@', 'nbd+unix://host/a?socket=@SOCKET@',
            'nbd+unix://someone@/a?socket=@SOCKET@', 'nbd+unix:///a?socket=@SOCKET@#part',
            'nbd+unix:///a', 'nbd+unix:///a?socket=', 'nbd+unix:a?socket=@SOCKET@',
            'nbd+unix:///a b?socket=@SOCKET@', 'nbd+unix:///%zz?socket=@SOCKET@',
            'nbd://localhost/?socket=@SOCKET@', 'nbd:', 'nbd', '', ' nbd://localhost', 'unix:x',
            'nbd://local host/', 'nbd://localhost:abc/', 'nbd://localhost:1:2/', '@SOCKET@',
            'nbd+unix:///?socket=@SOCKET@&tls-psk-file=/no/such/file',
            'nbds+unix:///?socket=@SOCKET@&tls-psk-file=/no/such/file']:
    connect(uri)
connect('nbd+unix:///?socket=@SOCKET@',
        lambda h: h.set_uri_allow_transports(nbd.ALLOW_TRANSPORT_TCP))
connect('nbd://localhost', lambda h: h.set_uri_allow_transports(nbd.ALLOW_TRANSPORT_UNIX))
connect('nbd+unix:///?socket=@SOCKET@', lambda h: h.set_uri_allow_tls(nbd.TLS_REQUIRE))
connect('nbds+unix:///?socket=@SOCKET@', lambda h: h.set_uri_allow_tls(nbd.TLS_DISABLE))
