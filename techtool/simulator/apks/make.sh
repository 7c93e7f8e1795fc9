#!/bin/sh
# Makes the demo APKs that lie beside this script: small real packages with nothing in them but a manifest.
#
# Needs (Debian): aapt android-framework-res zipalign apksigner default-jre-headless
# Two throwaway keys are made for one run and deleted at its end: all packages are signed with the first, so that
# 1.5.0 is accepted over 1.4.0; the “-othersigner” file is signed with the second, so that a terminal must refuse it.
# Nobody can ever sign a further version: run the whole recipe again and commit all files together.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
framework=${FRAMEWORK_RES:-/usr/share/android-framework-res/framework-res.apk}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# key ALIAS NAME
key() {
    keytool -genkeypair -keystore "$work/$1.p12" -storetype PKCS12 -storepass demo-demo -alias demo \
        -keyalg RSA -keysize 2048 -sigalg SHA256withRSA -validity 10950 \
        -dname "CN=$2, O=techtool demo" 2>"$work/$1.log" || { cat "$work/$1.log" >&2; exit 1; }
}

# build KEY FILE PACKAGE VERSION CODE LABEL
build() {
    mkdir -p "$work/app"
    cat >"$work/app/AndroidManifest.xml" <<XML
<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android"
    package="$3" android:versionCode="$5" android:versionName="$4">
    <uses-sdk android:minSdkVersion="22" android:targetSdkVersion="25" />
    <application android:label="$6" android:hasCode="false" android:allowBackup="false" />
</manifest>
XML
    aapt package -f -M "$work/app/AndroidManifest.xml" -I "$framework" -F "$work/plain.apk"
    zipalign -f 4 "$work/plain.apk" "$work/aligned.apk"
    apksigner sign --ks "$work/$1.p12" --ks-pass pass:demo-demo --ks-key-alias demo \
        --v1-signing-enabled true --v2-signing-enabled true --v3-signing-enabled true --v4-signing-enabled false \
        --out "$work/$2" "$work/aligned.apk"
    apksigner verify --min-sdk-version 22 "$work/$2"
    finished="$finished $2"
}

key demo "Demo publisher"
key other "Another publisher"
finished=""
for vendor in sunmi castles verifone; do
    build demo "com.example.$vendor.pay-1.4.0.apk" "com.example.$vendor.pay" 1.4.0 10400 "Demo payment ($vendor)"
    build demo "com.example.$vendor.pay-1.5.0.apk" "com.example.$vendor.pay" 1.5.0 10500 "Demo payment ($vendor)"
done
build demo com.example.emvkernel-7.0.0.apk com.example.emvkernel 7.0.0 70000 "Demo EMV kernel"
build demo com.example.emvkernel-7.1.0.apk com.example.emvkernel 7.1.0 70100 "Demo EMV kernel"
build other com.example.sunmi.pay-1.6.0-othersigner.apk com.example.sunmi.pay 1.6.0 10600 "Demo payment (sunmi)"

# All or none: a half-renewed set would mix two keys.
rm -f "$here"/*.apk
for name in $finished; do
    mv "$work/$name" "$here/$name"
done
