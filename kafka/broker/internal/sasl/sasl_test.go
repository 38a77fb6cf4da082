package sasl

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/coord/coordtest"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	client "github.com/twmb/franz-go/pkg/sasl"
	clientplain "github.com/twmb/franz-go/pkg/sasl/plain"
	clientscram "github.com/twmb/franz-go/pkg/sasl/scram"
)

func newUsers(t testing.TB) (*Users, *coordtest.Log) {
	log := &coordtest.Log{}
	u := NewUsers(log, []byte("secret"))
	setPassword(t, u, log, "alice", "wonderland")
	setPassword(t, u, log, "b,o=b", "pass=word, too")
	return u, log
}

func setPassword(t testing.TB, u *Users, log *coordtest.Log, user, password string) {
	t.Helper()
	kept := false
	u.SetPassword(user, password, func(err error) { kept = err == nil })
	if kept {
		t.Fatal("kept before it is durable")
	}
	log.Settle()
	if !kept {
		t.Fatal("not kept")
	}
}

// authenticate runs franz-go's client against a conversation.
func authenticate(t testing.TB, u *Users, m client.Mechanism) (string, error) {
	t.Helper()
	server, err := u.Begin(m.Name())
	if err != nil {
		t.Fatal(err)
	}
	session, message, err := m.Authenticate(context.Background(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	for {
		answer, err := server.Step(message)
		if err != nil {
			if _, ok := server.User(); ok {
				t.Error("a user after an error")
			}
			return "", err
		}
		done, next, err := session.Challenge(answer)
		if err != nil {
			t.Fatalf("the client does not trust the server: %v", err)
		}
		if done {
			user, ok := server.User()
			if !ok {
				t.Error("the client is done and the server is not")
			}
			return user, nil
		}
		message = next
	}
}

func mechanisms(user, password string) []client.Mechanism {
	return []client.Mechanism{
		clientplain.Auth{User: user, Pass: password}.AsMechanism(),
		clientscram.Auth{User: user, Pass: password}.AsSha256Mechanism(),
		clientscram.Auth{User: user, Pass: password}.AsSha512Mechanism(),
	}
}

func TestClientsAuthenticate(t *testing.T) {
	u, log := newUsers(t)
	again := NewUsers(&coordtest.Log{}, nil)
	for _, r := range log.Records() {
		if err := keylog.ReadSecurity(r, replayed{again}); err != nil {
			t.Fatal(err)
		}
	}
	for _, users := range []*Users{u, again} {
		for _, who := range [][2]string{{"alice", "wonderland"}, {"b,o=b", "pass=word, too"}} {
			for _, m := range mechanisms(who[0], who[1]) {
				if user, err := authenticate(t, users, m); user != who[0] || err != nil {
					t.Errorf("%s: %q, %v", m.Name(), user, err)
				}
			}
		}
	}
}

type replayed struct{ *Users }

func (r replayed) ACL(keylog.ACL, bool)                          {}
func (r replayed) SCRAM(k keylog.SCRAMKey, v *keylog.SCRAMValue) { r.Replay(k, v) }

// TestUnknownUserIsLikeWrongPassword compares errors, and all of the server's
// messages but the nonce.
func TestUnknownUserIsLikeWrongPassword(t *testing.T) {
	u, _ := newUsers(t)
	for i, m := range mechanisms("alice", "wrong") {
		_, wrong := authenticate(t, u, m)
		_, unknown := authenticate(t, u, mechanisms("nobody", "wrong")[i])
		if wrong != ErrFailed || unknown != ErrFailed {
			t.Errorf("%s: wrong password %v, unknown user %v", m.Name(), wrong, unknown)
		}
	}
	u.nonce = func() string { return "server" }
	first := func(user string) string {
		c, _ := u.Begin(ScramSHA256)
		answer, err := c.Step([]byte("n,,n=" + user + ",r=client"))
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	if first("nobody") != first("nobody") {
		t.Error("the salt of an unknown user changes: a known one's does not")
	}
	if first("nobody") == first("noone") {
		t.Error("unknown users have one salt: known ones do not")
	}
	if len(first("nobody")) != len(first("alice")) {
		t.Errorf("unknown %q, known %q", first("nobody"), first("alice"))
	}
}

// TestFakeCredentialFitsNothing tries the key that a client could compute from
// an unknown user's credential.
func TestFakeCredentialFitsNothing(t *testing.T) {
	u, _ := newUsers(t)
	for _, password := range []string{"", "x", string(u.secret)} {
		c, _ := u.find(sha256Mechanism, "nobody")
		if sha256Mechanism.checkPassword(c, password) {
			t.Errorf("password %q fits an unknown user", password)
		}
	}
}

// TestExampleOfTheRFC holds to the exchange in RFC 7677.
func TestExampleOfTheRFC(t *testing.T) {
	u := NewUsers(&coordtest.Log{}, nil)
	u.nonce = func() string { return "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0" }
	salt := []byte{0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81}
	salted, err := sha256Mechanism.salted("pencil", salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	u.Replay(keylog.SCRAMKey{User: "user", Mechanism: 1}, sha256Mechanism.credential(salted, salt, 4096))
	c, _ := u.Begin(ScramSHA256)
	for _, step := range [][2]string{
		{"n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"},
		{"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
	} {
		if got, err := c.Step([]byte(step[0])); string(got) != step[1] || err != nil {
			t.Fatalf("%q answered %q, %v; want %q", step[0], got, err, step[1])
		}
	}
	if user, ok := c.User(); user != "user" || !ok {
		t.Errorf("user %q, %v", user, ok)
	}
}

func TestMalformedMessages(t *testing.T) {
	u, _ := newUsers(t)
	for _, tt := range []struct{ mechanism, message string }{
		{Plain, ""}, {Plain, "alice"}, {Plain, "\x00alice"}, {Plain, "\x00\x00wonderland"}, {Plain, "\x00alice\x00"},
		{Plain, "\x00alice\x00wonderland\x00more"}, {Plain, strings.Repeat("x", 20_000)},
		{ScramSHA256, ""}, {ScramSHA256, "n"}, {ScramSHA256, "n,,"}, {ScramSHA256, "n,,n=alice"}, {ScramSHA256, "p=tls,,n=alice,r=x"},
		{ScramSHA256, "n,,m=ext,n=alice,r=x"}, {ScramSHA256, "n,,n=,r=x"}, {ScramSHA256, "n,,n=alice,r="}, {ScramSHA256, "n,,n=a=2c,r=x"},
		{ScramSHA256, "n,,n=a=,r=x"}, {ScramSHA256, "n,,n=alice,r=\x01"}, {ScramSHA256, "n,a=bob,n=alice,r=x"}, {ScramSHA256, "n,bob,n=alice,r=x"},
		{ScramSHA512, "n,,n=" + strings.Repeat("x", 20_000) + ",r=x"},
	} {
		c, _ := u.Begin(tt.mechanism)
		if answer, err := c.Step([]byte(tt.message)); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %.40q answered %q, %v", tt.mechanism, tt.message, answer, err)
		}
		if _, err := c.Step([]byte("\x00alice\x00wonderland")); !errors.Is(err, ErrMessage) {
			t.Errorf("%s goes on after %.40q: %v", tt.mechanism, tt.message, err)
		}
	}
	if _, err := u.Begin("GSSAPI"); !errors.Is(err, ErrMechanism) {
		t.Errorf("GSSAPI: %v", err)
	}
	c, _ := u.Begin(Plain)
	if _, err := c.Step([]byte("bob\x00alice\x00wonderland")); !errors.Is(err, ErrFailed) {
		t.Errorf("as another: %v", err)
	}
}

// TestChangedFinalMessages changes bytes of a good final message, one at a time.
func TestChangedFinalMessages(t *testing.T) {
	u, _ := newUsers(t)
	m := clientscram.Auth{User: "alice", Pass: "wonderland"}.AsSha256Mechanism()
	random := testenv.Rand(t)
	for i := 0; ; i += testenv.Sized(4, 1) {
		c, _ := u.Begin(ScramSHA256)
		session, first, _ := m.Authenticate(context.Background(), "")
		answer, _ := c.Step(first)
		_, final, err := session.Challenge(answer)
		if err != nil {
			t.Fatal(err)
		}
		if i >= len(final) {
			return
		}
		final[i] ^= byte(1 + random.IntN(127))
		if _, err := c.Step(final); err == nil {
			// The last bits of base64 may mean nothing; all else counts.
			if i < len(final)-2 {
				t.Errorf("byte %d changed, and accepted", i)
			}
		}
		if _, err := c.Step(final); err == nil {
			t.Error("a conversation goes on after its end")
		}
	}
}

func upsertion(user string, mechanism int8, iterations int32, salted int) kmsg.AlterUserSCRAMCredentialsRequestUpsertion {
	return kmsg.AlterUserSCRAMCredentialsRequestUpsertion{
		Name: user, Mechanism: mechanism, Iterations: iterations, Salt: []byte("salt"), SaltedPassword: make([]byte, salted),
	}
}

func alter(t testing.TB, u *Users, log *coordtest.Log, req *kmsg.AlterUserSCRAMCredentialsRequest) map[string]*kerr.Error {
	t.Helper()
	var errs map[string]*kerr.Error
	u.Alter(req, func(resp *kmsg.AlterUserSCRAMCredentialsResponse) {
		errs = map[string]*kerr.Error{}
		for _, r := range resp.Results {
			errs[r.User] = kerr.TypedErrorForCode(r.ErrorCode)
		}
	})
	log.Settle()
	if errs == nil {
		t.Fatal("no answer")
	}
	return errs
}

func TestAlterAndDescribe(t *testing.T) {
	u, log := newUsers(t)
	salt := []byte("some salt")
	salted, _ := sha512Mechanism.salted("new", salt, 8192)
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	good := upsertion("carol", 2, 8192, 0)
	good.Salt, good.SaltedPassword = salt, salted
	req.Upsertions = []kmsg.AlterUserSCRAMCredentialsRequestUpsertion{
		good, upsertion("few", 1, 4095, 32), upsertion("many", 1, 16385, 32), upsertion("size", 1, 4096, 33),
		upsertion("", 1, 4096, 32), upsertion("mechanism", 3, 4096, 32), upsertion("twice", 1, 4096, 32), upsertion("twice", 1, 4096, 32),
	}
	req.Deletions = []kmsg.AlterUserSCRAMCredentialsRequestDeletion{{Name: "alice", Mechanism: 1}, {Name: "nobody", Mechanism: 1}}
	errs := alter(t, u, log, req)
	for user, want := range map[string]*kerr.Error{
		"carol": nil, "few": kerr.UnacceptableCredential, "many": kerr.UnacceptableCredential, "size": kerr.UnacceptableCredential,
		"": kerr.UnacceptableCredential, "mechanism": kerr.UnsupportedSaslMechanism, "twice": kerr.DuplicateResource,
		"alice": nil, "nobody": kerr.ResourceNotFound,
	} {
		if got, ok := errs[user]; got != want || !ok {
			t.Errorf("%q: %v, want %v", user, got, want)
		}
	}
	if _, err := authenticate(t, u, clientscram.Auth{User: "carol", Pass: "new"}.AsSha512Mechanism()); err != nil {
		t.Errorf("the new user: %v", err)
	}
	if _, err := authenticate(t, u, clientscram.Auth{User: "alice", Pass: "wonderland"}.AsSha256Mechanism()); err != ErrFailed {
		t.Errorf("a deleted credential: %v", err)
	}
	var all *kmsg.DescribeUserSCRAMCredentialsResponse
	u.Describe(kmsg.NewPtrDescribeUserSCRAMCredentialsRequest(), func(resp *kmsg.DescribeUserSCRAMCredentialsResponse) { all = resp })
	if len(all.Results) != 3 || all.Results[2].User != "carol" || len(all.Results[2].CredentialInfos) != 1 || all.Results[2].CredentialInfos[0].Iterations != 8192 {
		t.Errorf("described %+v", all)
	}
	one := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
	one.Users = []kmsg.DescribeUserSCRAMCredentialsRequestUser{{Name: "nobody"}}
	u.Describe(one, func(resp *kmsg.DescribeUserSCRAMCredentialsResponse) { all = resp })
	if all.Results[0].ErrorCode != kerr.ResourceNotFound.Code {
		t.Errorf("described %+v", all)
	}
}

func TestNothingIsConfirmedOnceTheLogFails(t *testing.T) {
	u, log := newUsers(t)
	log.Held = true
	var got error
	u.SetPassword("dave", "x", func(err error) { got = err })
	log.Fail(kerr.KafkaStorageError)
	if got != kerr.KafkaStorageError {
		t.Errorf("set password: %v", got)
	}
}
