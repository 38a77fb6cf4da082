// Package domain is what a customer is: no Kafka, no SQL, no clock.
package domain

import (
	"errors"
	"net/mail"
	"strings"
)

// Customer is somebody who may order.
type Customer struct {
	ID       string
	Username string
	Email    string
}

// Bounds, in characters.
const (
	MaxUsername = 100
	MaxEmail    = 254
)

// ErrEmail is returned for what is not an address.
var ErrEmail = errors.New("is not an e-mail address such as jenny@example.com")

// CheckEmail accepts an address as RFC 5322 has it, alone: without a name or
// angle brackets, and with a domain.
func CheckEmail(address string) error {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || !strings.Contains(address, "@") {
		return ErrEmail
	}
	return nil
}
