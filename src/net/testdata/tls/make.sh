#!/bin/sh
# Makes the certificates of the TLS tests. FOR TESTS ONLY: their keys are public.
# Valid from 2020 to 2220, so that no test depends on the date. Run in this folder.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '[ca]\ndefault_ca=d\n[d]\npolicy=p\ndefault_md=sha256\nrand_serial=yes\n' >"$work/ca.cnf"
printf 'new_certs_dir=%s\ndatabase=%s/index\n[p]\ncommonName=supplied\n' "$work" "$work" >>"$work/ca.cnf"

request() { # name
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -subj "/CN=Quorumark test only $1" -keyout "$1.key" -out "$work/$1.csr"
}
sign() { # name, further options
  name=$1 && shift && : >"$work/index"
  openssl ca -batch -notext -config "$work/ca.cnf" -startdate 20200101000000Z \
    -enddate 22200101000000Z -in "$work/$name.csr" -out "$name.pem" -extfile "$work/ext" "$@"
}
authority() { # name
  request "$1"
  printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' >"$work/ext"
  sign "$1" -selfsign -keyfile "$1.key"
}
signed() { # name, authority, names
  request "$1"
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3" >"$work/ext"
  sign "$1" -cert "$2.pem" -keyfile "$2.key"
}

authority ca
authority other-ca
signed member ca 'IP:127.0.0.1,DNS:localhost' # a controller: serves, and dials the others
signed broker ca 'DNS:broker.example'         # a client of the same authority, no member
signed stranger other-ca 'IP:127.0.0.1'       # signed by somebody who is not trusted
openssl pkcs8 -topk8 -in member.key -passout pass:secret -out member-encrypted.key
rm ca.key other-ca.key
