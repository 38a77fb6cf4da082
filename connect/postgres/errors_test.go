package postgres

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestPassing(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{io.ErrUnexpectedEOF, true}, {&pgconn.PgError{Code: "57P01"}, true}, {&pgconn.PgError{Code: "25P03"}, true},
		{&pgconn.PgError{Code: "53300"}, true}, {&pgconn.PgError{Code: "53400"}, false}, {&pgconn.PgError{Code: "57P04"}, false},
		{&pgconn.PgError{Code: "22012"}, false}, {&pgconn.ConnectError{}, true},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, false},
	} {
		if got := passing(fmt.Errorf("connect: %w", c.err)); got != c.want {
			t.Errorf("%v passes: %t", c.err, got)
		}
	}
}

func TestDeaf(t *testing.T) {
	s := &stream{run: &run{interval: deaf}}
	if s.hear(false, 2*deaf) != nil || s.hear(true, 2*deaf) != nil || s.hear(false, 3*deaf) != nil {
		t.Error("the server was given up too soon")
	}
	if err := s.hear(false, deaf); !passing(err) {
		t.Errorf("after a long silence: %v", err)
	}
}
