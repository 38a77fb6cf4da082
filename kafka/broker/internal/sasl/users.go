package sasl

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/kafka/broker/internal/coord"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// MaxUsers is how many credentials there can be.
const MaxUsers = 100_000

// Users are the credentials. They are safe for concurrent use. Replay what the
// log holds, in order, before the first conversation.
type Users struct {
	core        *coord.Core
	credentials map[keylog.SCRAMKey]*Credential
	secret      []byte // from which credentials of unknown users come
	nonce       func() string
}

// NewUsers makes an empty set of users. secret makes what unknown users are
// answered the same after a restart: keep 16 random bytes or more with the data.
// Without one it is random.
func NewUsers(log coord.Log, secret []byte) *Users {
	if len(secret) == 0 {
		secret = randomBytes(32)
	}
	return &Users{
		core: coord.NewCore(log, nil), credentials: map[keylog.SCRAMKey]*Credential{}, secret: bytes.Clone(secret),
		nonce: func() string { return base64.RawStdEncoding.EncodeToString(randomBytes(24)) },
	}
}

// Replay takes one entry of the security log; nil deletes.
func (u *Users) Replay(key keylog.SCRAMKey, value *Credential) {
	u.core.Do(func() { u.set(key, value) })
}

func (u *Users) set(key keylog.SCRAMKey, value *Credential) {
	if value == nil {
		delete(u.credentials, key)
		return
	}
	u.credentials[key] = value
}

// SetPassword gives a user a password, for both SCRAM mechanisms and PLAIN, and
// calls done when that is durable.
func (u *Users) SetPassword(user, password string, done func(error)) {
	salt := randomBytes(saltSize)
	values := map[keylog.SCRAMKey]*Credential{}
	for _, h := range []hashing{sha256Mechanism, sha512Mechanism} {
		salted, err := h.salted(password, salt, defaultIterations)
		if err != nil {
			done(err)
			return
		}
		values[keylog.SCRAMKey{User: user, Mechanism: h.number}] = h.credential(salted, salt, defaultIterations)
	}
	u.core.Do(func() {
		if u.core.Failed() == nil {
			u.keep(values)
		}
		u.core.Reply(done)
	})
}

// keep sets or, where the value is nil, deletes credentials, all or none.
func (u *Users) keep(values map[keylog.SCRAMKey]*Credential) {
	var records []keylog.Record
	for _, key := range slices.SortedFunc(maps.Keys(values), compareKeys) {
		u.set(key, values[key])
		records = append(records, keylog.SCRAM(key, values[key]))
	}
	u.core.Append(records...)
}

func compareKeys(a, b keylog.SCRAMKey) int {
	return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Mechanism, b.Mechanism))
}

// find returns a user's credential, or one that nothing fits.
func (u *Users) find(h hashing, user string) (c *Credential, known bool) {
	u.core.Do(func() { c, known = u.credentials[keylog.SCRAMKey{User: user, Mechanism: h.number}] })
	fake := h.fake(u.secret, user) // also for a known user: the work is the same
	if !known {
		c = fake
	}
	return c, known
}

// Alter sets and deletes credentials, with an answer for each user, and answers
// when they are durable. A user that comes twice with a mechanism is refused.
func (u *Users) Alter(req *kmsg.AlterUserSCRAMCredentialsRequest, reply func(*kmsg.AlterUserSCRAMCredentialsResponse)) {
	u.core.Do(func() {
		values, errs := u.changes(req)
		for key := range values {
			if errs[key.User] != nil {
				delete(values, key)
			}
		}
		if u.core.Failed() == nil {
			u.keep(values)
		}
		u.core.Reply(func(failed error) {
			resp := kmsg.NewPtrAlterUserSCRAMCredentialsResponse()
			for _, user := range slices.Sorted(maps.Keys(errs)) {
				result := kmsg.NewAlterUserSCRAMCredentialsResponseResult()
				result.User = user
				err := errs[user]
				if failed != nil {
					err = kerr.KafkaStorageError
				}
				if err != nil {
					result.ErrorCode, result.ErrorMessage = err.Code, kmsg.StringPtr(err.Description)
				}
				resp.Results = append(resp.Results, result)
			}
			reply(resp)
		})
	})
}

// changes are what a request asks for, and the error, or nil, of each user.
func (u *Users) changes(req *kmsg.AlterUserSCRAMCredentialsRequest) (map[keylog.SCRAMKey]*Credential, map[string]*kerr.Error) {
	values, errs := map[keylog.SCRAMKey]*Credential{}, map[string]*kerr.Error{}
	change := func(user string, mechanism int8, value *Credential, err *kerr.Error) {
		key := keylog.SCRAMKey{User: strings.Clone(user), Mechanism: mechanism}
		if _, twice := values[key]; twice {
			err = kerr.DuplicateResource
		}
		values[key] = value
		errs[key.User] = cmp.Or(errs[key.User], err)
	}
	for _, d := range req.Deletions {
		err := checkUser(d.Name, d.Mechanism)
		if _, there := u.credentials[keylog.SCRAMKey{User: d.Name, Mechanism: d.Mechanism}]; err == nil && !there {
			err = kerr.ResourceNotFound
		}
		change(d.Name, d.Mechanism, nil, err)
	}
	for _, s := range req.Upsertions {
		err := cmp.Or(checkUser(s.Name, s.Mechanism), checkUpsertion(s))
		if err == nil && len(u.credentials)+len(values) >= MaxUsers {
			err = kerr.UnacceptableCredential
		}
		var value *Credential
		if h, ok := byNumber(s.Mechanism); ok && err == nil {
			value = h.credential(s.SaltedPassword, bytes.Clone(s.Salt), s.Iterations)
		}
		change(s.Name, s.Mechanism, value, err)
	}
	return values, errs
}

func checkUser(user string, mechanism int8) *kerr.Error {
	if user == "" || len(user) > maxUser {
		return kerr.UnacceptableCredential
	}
	if _, ok := byNumber(mechanism); !ok {
		return kerr.UnsupportedSaslMechanism
	}
	return nil
}

func checkUpsertion(s kmsg.AlterUserSCRAMCredentialsRequestUpsertion) *kerr.Error {
	h, _ := byNumber(s.Mechanism)
	if s.Iterations < minIterations || s.Iterations > maxIterations || len(s.Salt) == 0 || len(s.Salt) > maxSalt || len(s.SaltedPassword) != h.size {
		return kerr.UnacceptableCredential
	}
	return nil
}

// Describe tells which users have which credentials; without names, of all.
func (u *Users) Describe(req *kmsg.DescribeUserSCRAMCredentialsRequest, reply func(*kmsg.DescribeUserSCRAMCredentialsResponse)) {
	u.core.Do(func() {
		resp := kmsg.NewPtrDescribeUserSCRAMCredentialsResponse()
		for _, user := range u.asked(req) {
			resp.Results = append(resp.Results, u.describe(user))
		}
		u.core.Reply(func(failed error) {
			if failed != nil {
				resp = kmsg.NewPtrDescribeUserSCRAMCredentialsResponse()
				resp.ErrorCode = kerr.KafkaStorageError.Code
			}
			reply(resp)
		})
	})
}

func (u *Users) asked(req *kmsg.DescribeUserSCRAMCredentialsRequest) []string {
	names := map[string]bool{}
	for _, user := range req.Users {
		names[user.Name] = true
	}
	if len(req.Users) == 0 {
		for key := range u.credentials {
			names[key.User] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func (u *Users) describe(user string) kmsg.DescribeUserSCRAMCredentialsResponseResult {
	result := kmsg.NewDescribeUserSCRAMCredentialsResponseResult()
	result.User = user
	for _, h := range []hashing{sha256Mechanism, sha512Mechanism} {
		if c := u.credentials[keylog.SCRAMKey{User: user, Mechanism: h.number}]; c != nil {
			info := kmsg.NewDescribeUserSCRAMCredentialsResponseResultCredentialInfo()
			info.Mechanism, info.Iterations = h.number, c.Iterations
			result.CredentialInfos = append(result.CredentialInfos, info)
		}
	}
	if len(result.CredentialInfos) == 0 {
		result.ErrorCode = kerr.ResourceNotFound.Code
		result.ErrorMessage = kmsg.StringPtr("there is no credential of user " + user)
	}
	return result
}
