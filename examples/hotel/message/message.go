// Package message is what the two services say to each other: the values of the
// topics, as JSON, or as Avro with the schemas beside (*.avsc). Every message is keyed by the reservation's id.
package message

import "strconv"

// Types of the messages, and the standard names of their topics.
const (
	// RoomReserve carries a ReservationMessage: take these nights.
	RoomReserve = "room-reserve"
	// RoomCancel carries one too: give back what was taken, and take nothing any
	// more. Only its ReservationID counts.
	RoomCancel = "room-cancel"
	// TransactionResult carries the ReservationMessageResponse to either.
	TransactionResult = "reservation-transaction-result"
)

// Standard names of the consumer groups: the room service's, and the reservation
// service's.
const (
	RoomGroup        = "reservation-group"
	ReservationGroup = "reservation-transaction-result-group"
)

// ReservationMessage asks for a stay: each night from CheckInDate until before
// CheckOutDate.
type ReservationMessage struct {
	ReservationID int64 `json:"reservationId" avro:"reservationId"`
	RoomID        int64 `json:"roomId" avro:"roomId"`
	CheckInDate   Date  `json:"checkInDate,omitzero" avro:"checkInDate,omitzero"`
	CheckOutDate  Date  `json:"checkOutDate,omitzero" avro:"checkOutDate,omitzero"`
}

// ReservationMessageResponse is the answer: room-reserve gets SUCCESS or FAILURE,
// room-cancel gets CANCEL.
type ReservationMessageResponse struct {
	ReservationID int64  `json:"reservationId" avro:"reservationId"`
	Status        Status `json:"status" avro:"status"`
	// Message is for people; the reason of a failure.
	Message string `json:"message" avro:"message"`
}

// Status is what a room service answers.
type Status string

// Answers.
const (
	Success Status = "SUCCESS"
	Failure Status = "FAILURE"
	Cancel  Status = "CANCEL"
)

// Key is the Kafka key of a reservation's messages.
func Key(reservationID int64) string { return strconv.FormatInt(reservationID, 10) }
