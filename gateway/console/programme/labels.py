"""What we call channels, operations, causes and steps. One without a word is called by its name."""

from __future__ import annotations

from gateway.console.access import N_

CHANNELS = {
    "africastalking": N_("USSD (Africa's Talking)"),
    "infobip": N_("USSD (Infobip)"),
    "sms": N_("SMS"),
}
OPERATIONS = {
    "transfers.send": N_("Enviar dinero"),
    "loans.pay": N_("Pagar el crédito"),
    "accounts.balance": N_("Ver el saldo"),
    "accounts.movements": N_("Ver movimientos"),
    "loans.owed": N_("Ver lo que debe"),
    "limits.mine": N_("Ver sus límites"),
    "calls.ask": N_("Pedir que lo llamen"),
    "claims.open": N_("Reclamar un envío"),
    "enrolment.activate": N_("Darse de alta con su PIN"),
    "pins.change": N_("Cambiar el PIN"),
    "members.freeze": N_("Bloquearse"),
    "members.set_language": N_("Elegir el idioma"),
    "consents.read_by_sms": N_("Leer por SMS"),
}
STATES = {
    "posted": N_("hecha"),
    "refused": N_("rechazada"),
    "closed": N_("cerrada sin hacerse"),
}
CAUSES = {
    "silence": N_("Se dejó de oír: se agotó el tiempo o se fue la señal"),
    "not_understood": N_("Lo marcado no se entendió"),
    "gave_up": N_("Salió sin terminar"),
    "wrong_pin": N_("PIN equivocado"),
    "pin_locked": N_("PIN bloqueado"),
    "pin_blocked": N_("PIN bloqueado hasta que lo abra la agencia"),
    "insufficient_funds": N_("Saldo insuficiente"),
    "over_limit": N_("Pasa de su límite"),
    "frozen": N_("Bloqueado a pedido"),
    "unavailable": N_("El núcleo bancario no respondió"),
    "store_away": N_("Falla nuestra: un almacén no respondió"),
    "fault": N_("Falla nuestra: error del programa"),
    "slow": N_("Falla nuestra: demasiado lento"),
    "crowded": N_("Demasiadas llamadas a la vez"),
    "too_late": N_("Contestó cuando la sesión ya había terminado"),
    "restart": N_("La sesión no se pudo seguir"),
}
ENDED = {
    "finished": N_("terminó"),
    "left": N_("colgó, o la red la cortó"),
    "timed_out": N_("se agotó el tiempo"),
    "failed": N_("la cortamos"),
}
RURAL = {"yes": N_("rural"), "no": N_("urbano"), "unknown": N_("no se sabe")}
LANGUAGES = {"es": N_("castellano"), "en": N_("inglés"), "": N_("no se sabe")}
JOURNEYS = {
    "send": N_("Enviar dinero"),
    "pay": N_("Pagar el crédito"),
    "balance": N_("Ver el saldo"),
    "movements": N_("Ver movimientos"),
    "owed": N_("Ver lo que debe"),
    "limits": N_("Ver sus límites"),
    "enrol": N_("Darse de alta con su PIN"),
    "change_pin": N_("Cambiar el PIN"),
    "claim": N_("Reclamar un envío"),
    "call_me": N_("Pedir que lo llamen"),
    "freeze": N_("Bloquearse"),
    "language": N_("Elegir el idioma"),
    "texts": N_("Leer por SMS"),
}
STEPS = {
    "source": N_("de qué cuenta"),
    "payee": N_("a quién"),
    "amount": N_("cuánto"),
    "how": N_("cómo pagar"),
    "loan": N_("qué crédito"),
    "confirm": N_("confirmar con el PIN"),
    "again": N_("¿otra vez?"),
    "done": N_("hecho"),
    "dni": N_("el DNI"),
    "proof": N_("el código o el PIN de antes"),
    "consent": N_("el consentimiento"),
    "new_pin": N_("el PIN nuevo"),
    "transfer": N_("qué envío"),
    "language": N_("qué idioma"),
    "wish": N_("sí o no"),
}
COSTS = {"ussd_session": N_("Sesión USSD"), "sms_segment": N_("SMS")}
INDICATORS = {
    "enrolled": N_("Socios con PIN"),
    "active_30": N_("Socios activos, 30 días"),
    "active_90": N_("Socios activos, 90 días"),
    "rural_share": N_("Activos que viven en el campo"),
    "operations_30": N_("Operaciones de dinero en 30 días"),
    "session_success": N_("Sesiones que lograron lo que intentaban"),
}
SHARES = frozenset({"rural_share", "session_success"})
