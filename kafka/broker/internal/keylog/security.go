package keylog

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ACL is one access rule, with Kafka's numbers for types and operations. The
// rule is all key: there is no value to it but that it is there.
type ACL struct {
	ResourceType, PatternType, Operation, Permission int8
	Name, Principal, Host                            string
}

// SCRAMKey names the credential of a user for one mechanism, with Kafka's
// numbers: 1 is SCRAM-SHA-256, 2 is SCRAM-SHA-512.
type SCRAMKey struct {
	User      string
	Mechanism int8
}

// SCRAMValue is what a server keeps of a password (RFC 5802).
type SCRAMValue struct {
	Iterations                 int32
	Salt, StoredKey, ServerKey []byte
}

// SecurityLog receives the entries of the security log in order.
type SecurityLog interface {
	// ACL says that a rule is there, or no more.
	ACL(rule ACL, there bool)
	// SCRAM says what the credential is; nil deletes it.
	SCRAM(key SCRAMKey, value *SCRAMValue)
}

// AccessRule encodes that a rule is there, or no more.
func AccessRule(rule ACL, there bool) Record {
	b := binary.BigEndian.AppendUint16(nil, keyACL)
	b = append(b, byte(rule.ResourceType), byte(rule.PatternType), byte(rule.Operation), byte(rule.Permission))
	r := Record{Key: appendBytes(appendBytes(appendBytes(b, rule.Name), rule.Principal), rule.Host)}
	if there {
		r.Value = []byte{0, 0}
	}
	return r
}

// SCRAM encodes a credential; a nil value deletes it.
func SCRAM(key SCRAMKey, value *SCRAMValue) Record {
	b := binary.BigEndian.AppendUint16(nil, keySCRAM)
	r := Record{Key: appendBytes(append(b, byte(key.Mechanism)), key.User)}
	if value != nil {
		v := binary.BigEndian.AppendUint32([]byte{0, 0}, uint32(value.Iterations))
		r.Value = appendBytes(appendBytes(appendBytes(v, value.Salt), value.StoredKey), value.ServerKey)
	}
	return r
}

// ReadSecurity hands one record of the security log to its method of to.
func ReadSecurity(r Record, to SecurityLog) error {
	v, err := version(r.Key)
	if err != nil {
		return fmt.Errorf("security log: key: %w", err)
	}
	switch v {
	case keyACL:
		err = readACL(r, to)
	case keySCRAM:
		err = readSCRAM(r, to)
	default:
		err = ErrUnknown
	}
	if err != nil {
		return fmt.Errorf("security log: key of version %d: %w", v, err)
	}
	return nil
}

func readACL(r Record, to SecurityLog) error {
	if len(r.Key) < 6 {
		return errCut
	}
	k := fields{b: r.Key[6:]}
	rule := ACL{
		ResourceType: int8(r.Key[2]), PatternType: int8(r.Key[3]), Operation: int8(r.Key[4]), Permission: int8(r.Key[5]),
		Name: string(k.next()), Principal: string(k.next()), Host: string(k.next()),
	}
	if k.cut {
		return errCut
	}
	if r.Value != nil {
		if err := versionUpTo(r.Value, 0); err != nil {
			return err
		}
	}
	to.ACL(rule, r.Value != nil)
	return nil
}

func readSCRAM(r Record, to SecurityLog) error {
	if len(r.Key) < 3 {
		return errCut
	}
	k := fields{b: r.Key[3:]}
	key := SCRAMKey{User: string(k.next()), Mechanism: int8(r.Key[2])}
	if k.cut {
		return errCut
	}
	if r.Value == nil {
		to.SCRAM(key, nil)
		return nil
	}
	if err := versionUpTo(r.Value, 0); err != nil {
		return err
	}
	if len(r.Value) < 6 {
		return errCut
	}
	v := fields{b: r.Value[6:]}
	value := &SCRAMValue{
		Iterations: int32(binary.BigEndian.Uint32(r.Value[2:])),
		Salt:       v.next(), StoredKey: v.next(), ServerKey: v.next(),
	}
	if v.cut {
		return errCut
	}
	to.SCRAM(key, value)
	return nil
}

var errCut = errors.New("cut short")

func appendBytes[T string | []byte](dst []byte, field T) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(field)))
	return append(dst, field...)
}

// fields reads what appendBytes wrote.
type fields struct {
	b   []byte
	cut bool
}

func (f *fields) next() []byte {
	if len(f.b) < 2 || len(f.b)-2 < int(binary.BigEndian.Uint16(f.b)) {
		f.cut, f.b = true, nil
		return nil
	}
	end := 2 + int(binary.BigEndian.Uint16(f.b))
	field := f.b[2:end:end]
	f.b = f.b[end:]
	return field
}
