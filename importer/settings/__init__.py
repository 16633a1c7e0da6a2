"""Server, operation, token, and what the user has agreed to: from options, the environment and the settings file."""

from importer.settings.address import normal_server
from importer.settings.connection import (
    CASE_URL,
    TRUST_SERVER,
    Connection,
    NamedTarget,
    case_url,
    named_target,
    require_server,
    require_server_and_operation,
    server_and_operation,
    server_question,
    target,
)
from importer.settings.file import Settings, Trusted, allow_folder, load_settings, name_target, settings_path, trust
from importer.settings.token import (
    KEYRING_SERVICE,
    TokenPlace,
    check_token,
    forget_token,
    hold_token,
    keyring_user,
    store_token,
    token_place,
)
from importer.system.hosts import is_loopback

__all__ = [
    "CASE_URL",
    "KEYRING_SERVICE",
    "TRUST_SERVER",
    "Connection",
    "NamedTarget",
    "Settings",
    "TokenPlace",
    "Trusted",
    "allow_folder",
    "case_url",
    "check_token",
    "forget_token",
    "hold_token",
    "is_loopback",
    "keyring_user",
    "load_settings",
    "name_target",
    "named_target",
    "normal_server",
    "require_server",
    "require_server_and_operation",
    "server_and_operation",
    "server_question",
    "settings_path",
    "store_token",
    "target",
    "token_place",
    "trust",
]
