package server_test

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

var allMechanisms = map[string]func(user, password string) sasl.Mechanism{
	"PLAIN":         func(u, p string) sasl.Mechanism { return plain.Auth{User: u, Pass: p}.AsMechanism() },
	"SCRAM-SHA-256": func(u, p string) sasl.Mechanism { return scram.Auth{User: u, Pass: p}.AsSha256Mechanism() },
	"SCRAM-SHA-512": func(u, p string) sasl.Mechanism { return scram.Auth{User: u, Pass: p}.AsSha512Mechanism() },
}

func TestPasswordsAreChecked(t *testing.T) {
	w := start(t, secured)
	for name, mechanism := range allMechanisms {
		t.Run(name, func(t *testing.T) {
			if err := w.client(kgo.SASL(mechanism("admin", "secret"))).Ping(w.soon()); err != nil {
				t.Errorf("with the right password: %v", err)
			}
			for _, wrong := range [][2]string{{"admin", "secre"}, {"admin", "alices"}, {"nobody", "secret"}} {
				err := w.client(kgo.SASL(mechanism(wrong[0], wrong[1]))).Ping(w.soon())
				if !errors.Is(err, kerr.SaslAuthenticationFailed) {
					t.Errorf("as %s with %s: %v", wrong[0], wrong[1], err)
				}
			}
		})
	}
}

// TestOldClientsAuthenticate with SASL's messages alone, as before Kafka 1.0.
func TestOldClientsAuthenticate(t *testing.T) {
	w := start(t, secured)
	for name, mechanism := range allMechanisms {
		t.Run(name, func(t *testing.T) {
			client := func(password string) *kgo.Client {
				return w.client(kgo.SASL(mechanism("admin", password)), kgo.MaxVersions(kversion.V0_11_0()), kgo.DisableIdempotentWrite(), kgo.RequestRetries(0))
			}
			c := client("secret")
			for range 2 {
				if err := c.Ping(w.soon()); err != nil {
					t.Errorf("with the right password: %v", err)
				}
			}
			if err := client("secre").Ping(w.soon()); err == nil {
				t.Error("a wrong password will do")
			}
		})
	}
}

func TestHostileTokens(t *testing.T) {
	w := start(t, secured)
	old := func() *conn {
		c := w.dial()
		handshake := kmsg.NewPtrSASLHandshakeRequest()
		handshake.Mechanism = "PLAIN"
		wantCode(t, "SaslHandshake", ask[*kmsg.SASLHandshakeResponse](c, handshake).ErrorCode, nil)
		return c
	}
	for name, message := range map[string]string{
		"no password": "\x00\x00\x00\x07\x00admin\x00", "nothing": "\x00\x00\x00\x00",
		"gigabytes": "\x7f\xff\xff\xff", "less than nothing": "\xff\xff\xff\xff",
	} {
		t.Run(name, func(t *testing.T) {
			c := old()
			c.t = t
			if _, err := c.Write([]byte(message)); err != nil {
				t.Fatal(err)
			}
			c.wantEnd()
		})
	}
}

func TestNothingIsServedBeforeAuthentication(t *testing.T) {
	w := start(t, secured)
	for _, api := range w.APIs() {
		req := kmsg.RequestForKey(api.Key)
		req.SetVersion(api.Max)
		c := w.dial()
		resp, err := c.try(req)
		switch req.(type) {
		case *kmsg.SASLHandshakeRequest, *kmsg.SASLAuthenticateRequest:
			if err != nil || codes(resp)[0] == 0 {
				t.Errorf("%s: %v, %v", kmsg.NameForKey(api.Key), resp, err)
			}
		default:
			if err == nil || isTimeout(err) {
				t.Errorf("%s is answered: %v, %v", kmsg.NameForKey(api.Key), resp, err)
			}
		}
	}
	versions := kmsg.NewPtrApiVersionsRequest()
	if got := ask[*kmsg.ApiVersionsResponse](w.dial(), versions); len(got.ApiKeys) == 0 {
		t.Error("no versions are told")
	}
}

func authenticate(message string) *kmsg.SASLAuthenticateRequest {
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.Version, req.SASLAuthBytes = 2, []byte(message)
	return req
}

// TestOneAttempt has a connection end that did not authenticate: who guesses connects
// again.
func TestOneAttempt(t *testing.T) {
	w := start(t, secured)
	c := w.dial()
	wantCode(t, "a wrong password", c.login("admin", "x").ErrorCode, kerr.SaslAuthenticationFailed)
	if _, err := c.try(authenticate("\x00admin\x00secret")); err == nil || isTimeout(err) {
		t.Errorf("it may try again: %v", err)
	}
}

func TestSASLStates(t *testing.T) {
	w := start(t, secured)
	c := w.dial()
	wantCode(t, "a message before the mechanism", ask[*kmsg.SASLAuthenticateResponse](c, authenticate("x")).ErrorCode, kerr.IllegalSaslState)
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version, handshake.Mechanism = 1, "GSSAPI"
	resp := ask[*kmsg.SASLHandshakeResponse](c, handshake)
	wantCode(t, "an unknown mechanism", resp.ErrorCode, kerr.UnsupportedSaslMechanism)
	if len(resp.SupportedMechanisms) != 3 {
		t.Errorf("mechanisms: %v", resp.SupportedMechanisms)
	}
	wantCode(t, "authenticate", c.login("alice", "alices").ErrorCode, nil)

	// Again on the same connection: as the same user, and as another.
	wantCode(t, "authenticate again", c.login("alice", "alices").ErrorCode, nil)
	wantCode(t, "authenticate as another", c.login("admin", "secret").ErrorCode, kerr.SaslAuthenticationFailed)
	if _, err := c.try(kmsg.NewPtrMetadataRequest()); err == nil || isTimeout(err) {
		t.Errorf("the connection goes on: %v", err)
	}

	open := start(t)
	handshake.Mechanism = "PLAIN"
	wantCode(t, "where nobody must authenticate", ask[*kmsg.SASLHandshakeResponse](open.dial(), handshake).ErrorCode, kerr.IllegalSaslState)
}

func TestUsersAreMadeAndChanged(t *testing.T) {
	w := start(t, secured)
	login := kgo.SASL(plain.Auth{User: "admin", Pass: "secret"}.AsMechanism())
	admin := w.admin(login)
	set := func(password string) {
		t.Helper()
		_, err := admin.AlterUserSCRAMs(w.soon(), nil, []kadm.UpsertSCRAM{{User: "carol", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: password}})
		if err != nil {
			t.Fatal(err)
		}
	}
	try := func(password string) error {
		return w.client(kgo.SASL(scram.Auth{User: "carol", Pass: password}.AsSha512Mechanism())).Ping(w.soon())
	}
	set("one")
	if err := try("one"); err != nil {
		t.Error(err)
	}
	set("two")
	if err := try("one"); !errors.Is(err, kerr.SaslAuthenticationFailed) {
		t.Errorf("with the old password: %v", err)
	}
	w.restart(w.kill)
	admin = w.admin(login)
	if err := try("two"); err != nil {
		t.Errorf("after a kill: %v", err)
	}
	if _, err := admin.AlterUserSCRAMs(w.soon(), []kadm.DeleteSCRAM{{User: "carol", Mechanism: kadm.ScramSha512}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := try("two"); !errors.Is(err, kerr.SaslAuthenticationFailed) {
		t.Errorf("of a user that is gone: %v", err)
	}
}
