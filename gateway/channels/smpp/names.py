"""What the numbers of SMPP are called: for logs, figures, the trace and the dialect files.

Source: SMPP Protocol Specification v3.4, issue 1.2, 5.1.2.1 (commands), 5.1.3 (statuses), 5.3.2
(optional parameters).
"""

from __future__ import annotations

from gateway.channels.smpp import codec

_COMMANDS = {
    codec.BIND_RECEIVER: "bind_receiver",
    codec.BIND_TRANSMITTER: "bind_transmitter",
    0x03: "query_sm",
    codec.SUBMIT_SM: "submit_sm",
    codec.DELIVER_SM: "deliver_sm",
    codec.UNBIND: "unbind",
    0x07: "replace_sm",
    0x08: "cancel_sm",
    codec.BIND_TRANSCEIVER: "bind_transceiver",
    0x0B: "outbind",
    codec.ENQUIRE_LINK: "enquire_link",
    0x21: "submit_multi",
    0x102: "alert_notification",
    codec.DATA_SM: "data_sm",
}
_STATUSES = {
    0x00: "ROK",
    0x01: "RINVMSGLEN",
    0x02: "RINVCMDLEN",
    0x03: "RINVCMDID",
    0x04: "RINVBNDSTS",
    0x05: "RALYBND",
    0x06: "RINVPRTFLG",
    0x07: "RINVREGDLVFLG",
    0x08: "RSYSERR",
    0x0A: "RINVSRCADR",
    0x0B: "RINVDSTADR",
    0x0C: "RINVMSGID",
    0x0D: "RBINDFAIL",
    0x0E: "RINVPASWD",
    0x0F: "RINVSYSID",
    0x11: "RCANCELFAIL",
    0x13: "RREPLACEFAIL",
    0x14: "RMSGQFUL",
    0x15: "RINVSERTYP",
    0x33: "RINVNUMDESTS",
    0x34: "RINVDLNAME",
    0x40: "RINVDESTFLAG",
    0x42: "RINVSUBREP",
    0x43: "RINVESMCLASS",
    0x44: "RCNTSUBDL",
    0x45: "RSUBMITFAIL",
    0x48: "RINVSRCTON",
    0x49: "RINVSRCNPI",
    0x50: "RINVDSTTON",
    0x51: "RINVDSTNPI",
    0x53: "RINVSYSTYP",
    0x54: "RINVREPFLAG",
    0x55: "RINVNUMMSGS",
    0x58: "RTHROTTLED",
    0x61: "RINVSCHED",
    0x62: "RINVEXPIRY",
    0x63: "RINVDFTMSGID",
    0x64: "RX_T_APPN",
    0x65: "RX_P_APPN",
    0x66: "RX_R_APPN",
    0x67: "RQUERYFAIL",
    0xC0: "RINVOPTPARSTREAM",
    0xC1: "ROPTPARNOTALLWD",
    0xC2: "RINVPARLEN",
    0xC3: "RMISSINGOPTPARAM",
    0xC4: "RINVOPTPARAMVAL",
    0xFE: "RDELIVERYFAILURE",
    0xFF: "RUNKNOWNERR",
}
TLVS = {
    "its_session_info": codec.ITS_SESSION_INFO,
    "user_message_reference": codec.USER_MESSAGE_REFERENCE,
    "ussd_service_op": codec.USSD_SERVICE_OP,
    "its_reply_type": codec.ITS_REPLY_TYPE,
    "message_payload": codec.MESSAGE_PAYLOAD,
    "sar_msg_ref_num": codec.SAR_MSG_REF_NUM,
    "sar_total_segments": codec.SAR_TOTAL_SEGMENTS,
    "sar_segment_seqnum": codec.SAR_SEGMENT_SEQNUM,
    "receipted_message_id": codec.RECEIPTED_MESSAGE_ID,
    "message_state": codec.MESSAGE_STATE,
    "network_error_code": codec.NETWORK_ERROR_CODE,
    "sc_interface_version": 0x0210,
    "source_port": 0x020A,
    "destination_port": 0x020B,
    "language_indicator": 0x020D,
    "more_messages_to_send": 0x0426,
    "payload_type": 0x0019,
    "additional_status_info_text": 0x001D,
    "delivery_failure_reason": 0x0425,
    "dpf_result": 0x0420,
}
_TLV_NAMES = {tag: name for name, tag in TLVS.items()}
_OPERATIONS = {
    0x00: "PSSD indication",
    0x01: "PSSR indication",
    0x02: "USSR request",
    0x03: "USSN request",
    0x10: "PSSD response",
    0x11: "PSSR response",
    0x12: "USSR confirm",
    0x13: "USSN confirm",
}


def command_name(command: int) -> str:
    """`deliver_sm`, `deliver_sm_resp`, or the number."""
    if command == codec.GENERIC_NACK:
        return "generic_nack"
    name = _COMMANDS.get(command & ~codec.RESPONSE)
    if name is None:
        return f"0x{command:08x}"
    return f"{name}_resp" if command & codec.RESPONSE else name


def status_name(status: int) -> str:
    """`RTHROTTLED`, or the number: a network's own are 0x400 to 0x4FF."""
    return _STATUSES.get(status, f"0x{status:03x}")


def tlv_name(tag: int) -> str:
    """`its_session_info`, or the number."""
    return _TLV_NAMES.get(tag, f"0x{tag:04x}")


def operation_name(operation: int) -> str:
    """Of `ussd_service_op`, with its number: networks have some of their own."""
    return f"0x{operation:02x} {_OPERATIONS.get(operation, '')}".rstrip()
